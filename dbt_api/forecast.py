"""Each waiting invocation's place in the queue and when its turn is likely to come."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from dbt_api import store
from dbt_api.tables import InvocationRow, now
from dbt_api.workers import registry


@dataclass(frozen=True)
class Place:
    """Position (1 is next) and expected start; None for the latter where nothing like it ever ran."""

    position: int
    expected_start_at: datetime | None


def places() -> dict[str, Place]:
    """The places of all that wait now, by task_id."""
    waiting = store.in_state(store.PENDING)
    if not waiting:
        return {}
    return forecast(store.in_state(store.STARTED), waiting, slots=registry.slots(), moment=now())


def forecast(
    running: Sequence[InvocationRow], waiting: Sequence[InvocationRow], *, slots: int, moment: datetime
) -> dict[str, Place]:
    """Hand out the slots of all workers by priority and arrival, one invocation of a concurrency key at a time.

    What never ran before is taken to last as long as the others do in the median. Without a worker nobody can tell.
    """
    known = [row.eta_ms for row in (*running, *waiting) if row.eta_ms is not None]
    order = sorted(waiting, key=lambda row: (row.priority, row.id or 0))
    if not slots or (not known and (running or len(order) > 1)):
        return {row.task_id: Place(number, None) for number, row in enumerate(order, 1)}
    typical = median(known) if known else 0
    key_free = {row.concurrency_key: _end(row, typical, moment) for row in running}
    slot_free = [*key_free.values(), *[moment] * (slots - len(key_free))]
    heapq.heapify(slot_free)
    placed = {}
    for number, row in enumerate(order, 1):
        start = max(slot_free[0], key_free.get(row.concurrency_key, moment))
        placed[row.task_id] = Place(number, start)
        key_free[row.concurrency_key] = start + _length(row, typical)
        heapq.heapreplace(slot_free, key_free[row.concurrency_key])
    return placed


def _end(row: InvocationRow, typical_ms: float, moment: datetime) -> datetime:
    return max(moment, (row.started_at or moment) + _length(row, typical_ms))


def _length(row: InvocationRow, typical_ms: float) -> timedelta:
    return timedelta(milliseconds=typical_ms if row.eta_ms is None else row.eta_ms)
