"""Holds a request until an invocation changes state, without holding a thread."""

import asyncio
import time

from fastapi.concurrency import run_in_threadpool

from contracts.dbt_api import InvocationState
from dbt_api import store
from dbt_api.lifecycle import stopping
from dbt_api.tables import InvocationRow

LOOK_SECONDS = 0.01
LONGEST_LOOK_SECONDS = 0.1
"""Looks are close together in the first second, when a warm invocation ends, and sparse after it."""


async def wait_for_change(
    task_id: str, *, seconds: float, since: InvocationState | None = None
) -> InvocationRow | None:
    """The row once its state is terminal or differs from `since` (default: now's), or when the time is over."""
    since_when = time.monotonic()
    until = since_when + seconds
    row = await run_in_threadpool(store.find, task_id)
    known = since or (row.state if row is not None else None)
    while row is not None and not row.state.is_terminal and row.state == known and time.monotonic() < until:
        if stopping.is_set():
            break
        await asyncio.sleep(_pause(time.monotonic() - since_when))
        row = await run_in_threadpool(store.find, task_id)
    return row


def _pause(waited_seconds: float) -> float:
    return min(LONGEST_LOOK_SECONDS, LOOK_SECONDS + waited_seconds / 50)


async def wait_for_end(task_id: str, *, seconds: float) -> InvocationRow | None:
    """The row once it is terminal, or when the time is over."""
    until = time.monotonic() + seconds
    row = await run_in_threadpool(store.find, task_id)
    while row is not None and not row.state.is_terminal and time.monotonic() < until:
        row = await wait_for_change(task_id, seconds=until - time.monotonic())
        if stopping.is_set():
            break
    return row
