"""Holds a request until an invocation changes state, without holding a thread."""

import asyncio
import time
from contextlib import suppress

from fastapi.concurrency import run_in_threadpool

from contracts.dbt_api import InvocationState
from dbt_api import bell, store
from dbt_api.lifecycle import stopping
from dbt_api.settings import settings
from dbt_api.tables import InvocationRow

LOOK_SECONDS = 0.02
LONGEST_LOOK_SECONDS = 0.1
"""How often the row is looked at, which another process may change: closely in the first second, sparsely after it."""
BELL_SECONDS = 0.25
"""The same where this process makes the changes itself and rings."""


async def wait_for_change(
    task_id: str, *, seconds: float, since: InvocationState | None = None
) -> InvocationRow | None:
    """The row once its state is terminal or differs from `since` (default: now's), or when the time is over."""
    began = time.monotonic()
    with bell.listening(task_id) as changed:
        row = await run_in_threadpool(store.find, task_id)
        known = since or (row.state if row is not None else None)
        while row is not None and not row.state.is_terminal and row.state == known:
            rest = seconds - (time.monotonic() - began)
            if rest <= 0 or stopping.is_set():
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), min(rest, _pause(row, time.monotonic() - began)))
            changed.clear()
            row = await run_in_threadpool(store.find, task_id)
    return row


def _pause(row: InvocationRow, waited_seconds: float) -> float:
    if row.worker == settings().worker_name:
        return BELL_SECONDS
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
