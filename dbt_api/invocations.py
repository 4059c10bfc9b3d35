"""Use cases of invocations, the same behind both doors: submit, read, list, abort."""

import uuid
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from contracts.dbt_api import Invocation, InvocationState, LogSize, Outcome, SubmitInvocation
from dbt_api import life, queue, store
from dbt_api.errors import ApiError, not_found
from dbt_api.projects.defer import check_defer
from dbt_api.projects.profile import read_profile
from dbt_api.projects.registry import get_project
from dbt_api.records.log_index import index_of
from dbt_api.records.record import record_of
from dbt_api.running.command import checked, option
from dbt_api.running.outcome import Verdict
from dbt_api.tables import InvocationRow, StopReason


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
    check_defer(project.name, words, submitted.defer_to)
    target = option(words, "--target", "-t")
    row = InvocationRow(
        task_id=task_id,
        project=project.name,
        command=words,
        body_hash=store.body_hash(submitted),
        concurrency_key=f"{project.name}/{target or read_profile(Path(project.path)).default_target}",
        target=target,
        defer_to=submitted.defer_to,
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
        store.remove_pending(row.task_id)  # when this fails too, the caretaker queues it
        raise
    life.queued(row)
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
    record = record_of(row)
    log = log_size(row)
    log.lines = index_of(record).lines(record)
    shown = store.shown(row, log=log, position=store.queue_position(row))
    shown.artifacts = record.artifacts() if record.complete else []
    return shown


def log_size(row: InvocationRow) -> LogSize:
    """The log's size. The row was read before the file: "complete" never comes before the last byte."""
    record = record_of(row)
    return LogSize(bytes=record.log_size, complete=record.complete)
