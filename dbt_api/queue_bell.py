"""Wakes DBOS's dequeuing thread when something was queued, or ended, in this process.

DBOS looks for work at intervals only; what other processes queue is still found that way. The thread waits on the event
that tells it to stop, so it is given one that a bell ends as well. An end is known to DBOS a little after it rings, so
the thread looks again soon, and less and less often. Without the function that this knows, DBOS's way.
"""

import inspect
import threading
import time
from typing import Any

import dbos._queue

FIRST_LOOK_SECONDS = 0.02
STOP_LOOK_SECONDS = 0.2
_bell = threading.Event()


def ring() -> None:
    """Something may be there to take, now or in a moment."""
    _bell.set()


class _Stop:
    """DBOS's stop event, for the one thread that takes work from our queue."""

    def __init__(self, stop: threading.Event) -> None:
        self.is_set = stop.is_set
        self._pause = FIRST_LOOK_SECONDS

    def wait(self, timeout: float) -> bool:
        """Whether to stop, once the bell has rung or the time is over: sooner than `timeout` soon after a ring."""
        until = time.monotonic() + min(timeout, self._pause)
        self._pause *= 2
        while not self.is_set() and (rest := until - time.monotonic()) > 0:
            if _bell.wait(min(rest, STOP_LOOK_SECONDS)):
                self._pause = FIRST_LOOK_SECONDS
                break
        _bell.clear()
        return self.is_set()


def hang(queue_name: str) -> None:
    """Let the bell be heard by whoever will take work from this queue. Before DBOS is launched."""
    take_work = dbos._queue.queue_worker_thread
    if list(inspect.signature(take_work).parameters) != ["stop_event", "dbos", "queue"]:
        return

    def take_work_by_bell(stop_event: threading.Event, dbos: Any, queue: Any) -> None:
        ours: Any = _Stop(stop_event) if queue.name == queue_name else stop_event
        take_work(ours, dbos, queue)

    dbos._queue.queue_worker_thread = take_work_by_bell
