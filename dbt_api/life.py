"""One log line each for the three moments of an invocation's life: queued, started, ended."""

import logging

from dbt_api import metrics
from dbt_api.tables import InvocationRow

LOG = logging.getLogger("dbt_api.invocations")


def queued(row: InvocationRow) -> None:
    """It waits for its turn."""
    _tell("queued", row, priority=row.priority)


def started(row: InvocationRow) -> None:
    """Its dbt is about to start here."""
    _tell("started", row, attempt=row.attempt, worker=row.worker)


def ended(row: InvocationRow) -> None:
    """It has its final state."""
    duration_ms = None
    if row.started_at is not None and row.finished_at is not None:
        seconds = (row.finished_at - row.started_at).total_seconds()
        metrics.observe_duration(row.project, row.command, row.state, seconds)
        duration_ms = round(seconds * 1000)
    _tell("ended", row, attempt=row.attempt, state=row.state.value, outcome=row.outcome, duration_ms=duration_ms)


def _tell(moment: str, row: InvocationRow, **facts: object) -> None:
    everything = {"task_id": row.task_id, "project": row.project, "concurrency_key": row.concurrency_key, **facts}
    words = " ".join(f"{name}={value}" for name, value in everything.items() if value is not None)
    LOG.info("Invocation %s: %s", moment, words, extra={"moment": moment, **everything})
