"""Invocations as `/api/v1` shows them: the row, and what is known beside it while it waits or runs."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from contracts.dbt_api import Invocation, InvocationState, LogSize, NodeCounts, Phase
from dbt_api import forecast, store
from dbt_api.records.counts import Progress, progress_of
from dbt_api.records.record import record_of
from dbt_api.retrying import reason_against
from dbt_api.running.command import command_name
from dbt_api.storage import StorageAway
from dbt_api.tables import InvocationRow, now

PREFIX = "/api/v1/invocations"
STATUS = {
    InvocationState.PENDING: 1,
    InvocationState.SUCCESS: 10,
    InvocationState.FAILURE: 20,
    InvocationState.ABORTED: 30,
}
STARTING, RUNNING = 2, 3
WITHOUT_PARSING = {"deps", "debug"}


def described(rows: Sequence[InvocationRow]) -> list[Invocation]:
    """The invocations of these rows, artifacts aside."""
    places = forecast.places() if any(row.state is InvocationState.PENDING for row in rows) else {}
    retries = store.retries_of([row.task_id for row in rows])
    return [
        _entity(row, place=places.get(row.task_id), retried_by=retries.get(row.task_id), moment=now()) for row in rows
    ]


def log_size(row: InvocationRow) -> LogSize:
    """The log's size. The row was read before the file: "complete" never comes before the last byte.

    While the storage of the files is away, it is not known and told as nothing yet.
    """
    record, url = record_of(row), f"{PREFIX}/{row.task_id}/logs"
    with suppress(StorageAway):
        return LogSize(bytes=record.log_size, complete=record.complete, url=url)
    return LogSize(url=url)


def _progress(row: InvocationRow) -> Progress | None:
    with suppress(StorageAway):
        return progress_of(record_of(row))
    return None


def _entity(
    row: InvocationRow, *, place: forecast.Place | None, retried_by: str | None, moment: datetime
) -> Invocation:
    running = row.state is InvocationState.STARTED
    progress = _progress(row) if running else None
    phase = _phase(row, progress)
    reason = reason_against(row)
    return Invocation(
        **row.model_dump(include=set(Invocation.model_fields) - {"counts", "invocation_id"}),
        metadata=row.client_metadata,
        phase=phase,
        status=_status(row, phase),
        queue_position=place.position if place else None,
        expected_start_at=place.expected_start_at if place else None,
        queued_ms=_ms(row.created_at, row.started_at or row.finished_at or moment),
        duration_ms=_ms(row.started_at, row.finished_at or moment),
        invocation_id=progress.invocation_id if progress else row.invocation_id,
        counts=progress.counts() if progress else row.counts and NodeCounts.model_validate(row.counts),
        retried_by=retried_by,
        can_retry=reason is None,
        retry_not_supported_reason=reason,
        log=log_size(row),
        links=_links(row),
    )


def _phase(row: InvocationRow, progress: Progress | None) -> Phase:
    if progress is None and row.state is InvocationState.STARTED:
        return Phase.CANCELLING if row.stop_reason is not None else Phase.RUNNING
    if progress is None:
        return Phase.DONE if row.state.is_terminal else Phase.QUEUED
    if progress.phase is not Phase.COLLECTING and row.stop_reason is not None:
        return Phase.CANCELLING
    if progress.phase is Phase.PARSING and command_name(row.command) in WITHOUT_PARSING:
        return Phase.RUNNING
    return progress.phase


def _status(row: InvocationRow, phase: Phase) -> int:
    return STATUS.get(row.state) or (STARTING if phase is Phase.PREPARING else RUNNING)


def _ms(start: datetime | None, end: datetime) -> int | None:
    return max(0, round((end - start).total_seconds() * 1000)) if start is not None else None


def _links(row: InvocationRow) -> dict[str, str]:
    own = f"{PREFIX}/{row.task_id}"
    parts = ("abort", "retry", "logs", "events", "nodes", "artifacts")
    links = {"self": own, **{part: f"{own}/{part}" for part in parts}, "project": f"/api/v1/projects/{row.project}"}
    return links | ({"retry_of": f"{PREFIX}/{row.retry_of}"} if row.retry_of else {})


def stable_part(invocation: Invocation) -> dict[str, Any]:
    """What of an invocation changes only when something happened, not by the mere passing of time."""
    passing = {"queued_ms", "duration_ms", "expected_start_at"} if not invocation.state.is_terminal else set()
    return invocation.model_dump(mode="json", exclude=passing)
