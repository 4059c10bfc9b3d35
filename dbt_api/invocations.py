"""Use cases of invocations, the same behind both doors: submit, read, list, abort."""

import uuid
from contextlib import suppress
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from contracts.dbt_api import Artifact, Invocation, InvocationState, LogSize, Outcome, SubmitInvocation
from dbt_api import queue, store
from dbt_api.errors import ApiError, not_found
from dbt_api.projects.profile import read_profile
from dbt_api.projects.registry import get_project
from dbt_api.running.attempt import Attempt
from dbt_api.running.command import checked, option
from dbt_api.running.outcome import Verdict
from dbt_api.tables import InvocationRow, StopReason

NOT_ARTIFACTS = {"partial_parse.msgpack", "graph.gpickle"}


def submit(submitted: SubmitInvocation) -> tuple[InvocationRow, bool]:
    """Queue an invocation. The flag tells a new one from one that the task_id already names.

    Raises ApiError: 404 unknown project, 422 refused command, 409 same task_id with another body.
    """
    words = checked(submitted.command)
    project = get_project(submitted.project)
    task_id = submitted.task_id or uuid.uuid4().hex
    if not task_id.strip("."):
        raise ApiError(422, "A task_id cannot be made of dots only: it names a folder.")
    existing = store.find(task_id)
    if existing is not None:
        return _same(existing, submitted), False
    target = option(words, "--target", "-t")
    row = InvocationRow(
        task_id=task_id,
        project=project.name,
        command=words,
        body_hash=store.body_hash(submitted),
        concurrency_key=f"{project.name}/{target or read_profile(Path(project.path)).default_target}",
        target=target,
        timeout_seconds=submitted.timeout_seconds,
        priority=submitted.priority,
        requested_by=submitted.requested_by,
        source=submitted.source.model_dump(),
    )
    return _queue(row, submitted)


def _queue(row: InvocationRow, submitted: SubmitInvocation) -> tuple[InvocationRow, bool]:
    try:
        store.insert(row)
    except IntegrityError:
        return _same(get(row.task_id), submitted), False
    try:
        queue.enqueue(row)
    except Exception:
        store.remove_pending(row.task_id)
        raise
    return row, True


def _same(existing: InvocationRow, submitted: SubmitInvocation) -> InvocationRow:
    if existing.body_hash != store.body_hash(submitted):
        raise ApiError(409, f"The task_id '{existing.task_id}' already names another invocation.")
    return existing


def get(task_id: str) -> InvocationRow:
    """The row of an invocation. Raises ApiError 404."""
    row = store.find(task_id)
    if row is None:
        raise not_found("invocation", task_id)
    return row


def abort(row: InvocationRow, *, reason: str | None) -> InvocationRow:
    """Stop an invocation: at once while it waits, gracefully while it runs, not at all when it has ended."""
    because = reason or "Aborted on request."
    verdict = Verdict(InvocationState.ABORTED, Outcome.ABORTED, "Aborted", because)
    if store.abort_pending(row.task_id, verdict):
        queue.forget(row.task_id)
    else:
        store.ask_to_stop(row.task_id, StopReason.ABORT, because)
    return get(row.task_id)


def described(row: InvocationRow) -> Invocation:
    """An invocation with its log size, queue position and, once it ended, its artifacts."""
    shown = store.shown(row, log=log_size(row), position=store.queue_position(row))
    shown.artifacts = artifacts(row) if row.state.is_terminal else []
    return shown


def log_size(row: InvocationRow) -> LogSize:
    """The log's size. The row was read before the file: "complete" never comes before the last byte."""
    log = log_path(row)
    return LogSize(bytes=log.stat().st_size if log.exists() else 0, complete=row.state.is_terminal)


def log_path(row: InvocationRow) -> Path:
    """The log of the invocation's newest attempt."""
    return Attempt(row.task_id, row.attempt).log


def artifacts(row: InvocationRow) -> list[Artifact]:
    """What dbt left, without its caches."""
    root = Attempt(row.task_id, row.attempt).target
    files = sorted(each for each in root.rglob("*") if each.is_file() and each.name not in NOT_ARTIFACTS)
    return [Artifact(name=each.relative_to(root).as_posix(), bytes=each.stat().st_size) for each in files]


def artifact_path(row: InvocationRow, name: str) -> Path:
    """The file of one artifact. Raises ApiError 404, also for a name that leads out of the folder."""
    root = Attempt(row.task_id, row.attempt).target.resolve()
    with suppress(OSError, ValueError):  # a name too long, or with a NUL
        path = (root / name).resolve()
        if path.is_relative_to(root) and path.is_file():
            return path
    raise not_found("artifact", name)
