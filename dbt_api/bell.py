"""Tells the requests that wait in this process that an invocation has changed.

They look at its row all the same, because another process may carry it; the bell spares them most of the looking.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_turn = threading.Lock()
_listeners: dict[str, set[tuple[asyncio.AbstractEventLoop, asyncio.Event]]] = defaultdict(set)


def ring(task_id: str) -> None:
    """Wake all who listen. Called from any thread, after the change can be read."""
    with _turn:
        heard = list(_listeners.get(task_id, ()))
    for loop, event in heard:
        with suppress(RuntimeError):  # that loop has ended
            loop.call_soon_threadsafe(event.set)


@contextmanager
def listening(task_id: str) -> Iterator[asyncio.Event]:
    """An event that is set at every change until the block ends. Listen first and look then: nothing is missed."""
    listener = asyncio.get_running_loop(), asyncio.Event()
    with _turn:
        _listeners[task_id].add(listener)
    try:
        yield listener[1]
    finally:
        with _turn:
            _listeners[task_id].discard(listener)
            if not _listeners[task_id]:
                del _listeners[task_id]
