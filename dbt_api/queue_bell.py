"""Wakes DBOS's dequeuing thread when something was queued in this process: it need not wait for its next look.

DBOS looks for work at intervals only; what other processes queue is still found that way. The thread waits on the event
that tells it to stop, so it is given one that a bell ends as well. Without the function that this knows, DBOS's way.
"""

import inspect
import threading
import time
from typing import Any

import dbos._queue

_bell = threading.Event()
STOP_LOOK_SECONDS = 0.2


def ring() -> None:
    """Something may be there to take."""
    _bell.set()


class _Stop:
    """DBOS's stop event, for the one thread that takes work from our queue."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self.is_set = stop.is_set

    def wait(self, timeout: float) -> bool:
        """Whether to stop, once the bell has rung or the time is over."""
        until = time.monotonic() + timeout
        while not self.is_set() and (rest := until - time.monotonic()) > 0:
            if _bell.wait(min(rest, STOP_LOOK_SECONDS)):
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
