"""Use cases of invocations, the same behind both doors: submit, read, abort, retry."""

import re
import shlex
import uuid
from contextlib import suppress

from sqlalchemy.exc import IntegrityError

from contracts.dbt_api import (
    AbortMode,
    AbortRequest,
    Invocation,
    InvocationState,
    OnLost,
    Outcome,
    RetryRequest,
    SubmitInvocation,
)
from contracts.dbt_api.invocations import TARGET_PATTERN
from dbt_api import entity, life, queue, retrying, store
from dbt_api.callbacks.addresses import address_of
from dbt_api.composition import allowed_env, command_hash, composed
from dbt_api.errors import ApiError, not_found
from dbt_api.projects.bundles import folder_of
from dbt_api.projects.defer import check_defer
from dbt_api.projects.profile import read_profile
from dbt_api.projects.registry import get_project
from dbt_api.records.log_index import index_of
from dbt_api.records.record import record_of
from dbt_api.redaction import Plain, redacted
from dbt_api.running.command import checked, command_name, option
from dbt_api.running.dbt_process import dbt_of
from dbt_api.running.outcome import Verdict
from dbt_api.sealing import sealed
from dbt_api.settings import settings
from dbt_api.storage import StorageAway
from dbt_api.tables import InvocationRow, ProjectRow, StopReason

FULL_RETRY_SECONDS = 15


def submit(submitted: SubmitInvocation, *, retry_of: str | None = None) -> tuple[InvocationRow, bool]:
    """Queue an invocation. The flag tells a new one from one that the task_id already names.

    Raises ApiError: 404 unknown project, 422 refused command, 409 same task_id with another body, 429 full queue.
    """
    plain = _plain(submitted)
    task_id = submitted.task_id or uuid.uuid4().hex
    if not task_id.strip("."):
        raise ApiError(422, "A task_id cannot be made of dots only: it names a folder.")
    existing = store.find(task_id)
    if existing is not None:
        return _same(existing, submitted), False
    if submitted.callback_url is not None:
        address_of(submitted.callback_url)
    meant = submitted
    if command_name(plain.command) == "retry":
        meant, retry_of = _meant_by_retry(submitted, plain.command)
        plain = _plain(meant)
    row = _row(task_id, plain, meant)
    _refuse_when_full(row.project)
    row.retry_of, row.body_hash = retry_of, store.body_hash(submitted)
    return _queue(row, submitted)


def _plain(submitted: SubmitInvocation) -> Plain:
    return Plain(checked(composed(submitted)), allowed_env(submitted.env))


def _meant_by_retry(submitted: SubmitInvocation, words: list[str]) -> tuple[SubmitInvocation, str]:
    """What dbt's own `retry` means: the rest of the newest command of the project and target, and whose that is."""
    project = get_project(submitted.project)
    newest = retrying.newest_of(_concurrency_key(project, _target(words)), words)
    asked = retrying.retry_of(newest, RetryRequest())
    what = {field: getattr(asked, field) for field in ("command", "env", "defer_to", "environment")}
    return submitted.model_copy(update={**what, "target": None}), newest.task_id


def _concurrency_key(project: ProjectRow, target: str | None) -> str:
    return f"{project.name}/{target or read_profile(folder_of(project)).default_target}"


def _row(task_id: str, plain: Plain, submitted: SubmitInvocation) -> InvocationRow:
    project = get_project(submitted.project)
    environment = submitted.environment or project.environment
    dbt_of(environment)
    shown = redacted(plain)
    check_defer(project.name, plain.command, submitted.defer_to)
    target = _target(plain.command)
    same_command = command_hash(project.name, shown.command)
    return InvocationRow(
        task_id=task_id,
        project=project.name,
        command=shown.command,
        command_display=shlex.join(["dbt", *shown.command]),
        command_hash=same_command,
        env=shown.env,
        sealed=sealed(plain),
        body_hash="",
        concurrency_key=_concurrency_key(project, target),
        environment=environment,
        target=target,
        defer_to=submitted.defer_to,
        timeout_seconds=submitted.timeout_seconds,
        priority=submitted.priority,
        max_attempts=submitted.max_attempts if submitted.on_lost is OnLost.REQUEUE else 1,
        eta_ms=store.usual_ms(same_command),
        tags=submitted.tags,
        client_metadata=submitted.metadata,
        callback_url=submitted.callback_url,
        requested_by=submitted.requested_by,
        source=submitted.source.model_dump(),
    )


def _target(words: list[str]) -> str | None:
    target = option(words, "--target", "-t")
    if target is not None and not re.match(TARGET_PATTERN, target):
        raise ApiError(422, "The target is not a name: letters, digits, '_', '.' and '-'.")
    return target


def _refuse_when_full(project: str) -> None:
    limits = settings()
    full = store.count(InvocationState.PENDING) >= limits.queue_limit
    if full or store.count(InvocationState.PENDING, project=project) >= limits.queue_limit_per_project:
        what = "The queue" if full else f"The queue of '{project}'"
        raise ApiError(429, f"{what} is full.", hint="Try again later.", retry_after_seconds=FULL_RETRY_SECONDS)


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


def abort(row: InvocationRow, request: AbortRequest, *, by: str | None) -> InvocationRow:
    """Stop an invocation: at once while it waits, gracefully while it runs, not at all when it has ended."""
    because = request.reason or "Aborted on request."
    grace = 0 if request.mode is AbortMode.NOW else request.grace_seconds
    verdict = Verdict(InvocationState.ABORTED, Outcome.ABORTED, "Aborted", because)
    if store.abort_pending(row.task_id, verdict, aborted_by=by):
        queue.forget(row.task_id)
        return get(row.task_id)
    store.ask_to_stop(row.task_id, StopReason.ABORT, because, aborted_by=by, stop_grace_seconds=grace)
    if grace is not None:
        store.shorten_grace(row.task_id, grace)
    return get(row.task_id)


def retry(row: InvocationRow, request: RetryRequest) -> tuple[InvocationRow, bool]:
    """Queue a new invocation of what this one left unfinished. The flag is False for one that was asked for before.

    Raises ApiError 409 with the reason where that makes no sense, as for one that is being retried already.
    """
    existing = store.find(request.task_id) if request.task_id else None
    if existing is not None and existing.retry_of == row.task_id:
        return existing, False
    newest = store.find(store.retries_of([row.task_id]).get(row.task_id, ""))
    if newest is not None and not newest.state.is_terminal:
        raise ApiError(409, f"'{row.task_id}' is being retried already, by '{newest.task_id}'.")
    return submit(retrying.retry_of(row, request), retry_of=row.task_id)


def described(row: InvocationRow) -> Invocation:
    """An invocation with all that is known of it, and, once it ended, its artifacts."""
    shown, record = entity.described([row])[0], record_of(row)
    with suppress(StorageAway):  # its state is worth telling without them
        shown.log.lines = index_of(record).lines(record)
        shown.artifacts = record.artifacts() if record.complete else []
    return shown
