"""What the login remembers for a while, in bounded memory."""

import time
from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Expiring(Generic[Key, Value]):
    """Entries are forgotten after some seconds, and the oldest first beyond a number. For one thread."""

    def __init__(self, *, seconds: float, size: int = 10_000) -> None:
        self._seconds = seconds
        self._size = size
        self._entries: OrderedDict[Key, tuple[float, Value]] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """The value, unless it is too old."""
        until, value = self._entries.get(key, (0.0, None))
        return value if time.monotonic() < until else None

    def put(self, key: Key, value: Value) -> None:
        """Remember from now on."""
        self._entries[key] = (time.monotonic() + self._seconds, value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def forget(self, key: Key) -> None:
        """As if it had never been put."""
        self._entries.pop(key, None)


class Counter(Expiring[Key, int]):
    """Counts per key; a count starts anew when nothing was added for the given seconds."""

    def add(self, key: Key) -> int:
        """The new count."""
        count = (self.get(key) or 0) + 1
        self.put(key, count)
        return count
