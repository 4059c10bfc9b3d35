"""One start of an invocation at a time: after a restart the queue and the worker itself may both take it up.

A lock for each, so that a start that takes long, as one that fetches its project, keeps no other waiting.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

_turn = threading.Lock()
_locks: dict[str, threading.Lock] = {}
_users: Counter[str] = Counter()


@contextmanager
def alone(task_id: str) -> Iterator[None]:
    """Hold what others of the same invocation wait for."""
    with _turn:
        lock = _locks.setdefault(task_id, threading.Lock())
        _users[task_id] += 1
    try:
        with lock:
            yield
    finally:
        with _turn:
            _users[task_id] -= 1
            if not _users[task_id]:
                del _locks[task_id], _users[task_id]
