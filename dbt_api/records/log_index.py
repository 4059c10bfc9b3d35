"""Which byte a line of a log begins at, without reading the log from its beginning each time.

The index of a growing log is extended, when asked, by what is new: one number for each block of the log.
"""

import threading
from bisect import bisect_left
from functools import lru_cache

from dbt_api.records.record import BLOCK, Record

INDEXES_KEPT = 256
"""The index of a log of 50 MB takes a few kilobytes; one that was forgotten is made again by counting line breaks."""


class LogIndex:
    """How many lines end before each block of a log."""

    def __init__(self) -> None:
        self._lines_before = [0]
        self._scanned = 0
        self._lines = 0
        self._lock = threading.Lock()

    def lines(self, record: Record) -> int:
        """Whole lines so far; the unfinished last one counts once the log is complete."""
        with self._lock:
            size = record.log_size
            while self._scanned < size:
                self._scan(record, min(size, len(self._lines_before) * BLOCK))
            unfinished = record.complete and size and b"".join(record.log(size - 1, size)) != b"\n"
            return self._lines + bool(unfinished)

    def offset(self, record: Record, line: int) -> int:
        """The byte that a line (counted from 0) begins at; the log's size for a line that it does not have."""
        if line == 0:
            return 0
        if line >= self.lines(record):
            return record.log_size
        block = bisect_left(self._lines_before, line) - 1
        return self._offset_within(record, block, line - self._lines_before[block])

    def _scan(self, record: Record, end: int) -> None:
        """Count on to `end`, which lies in the block after the last one noted, or at its end."""
        self._lines += sum(block.count(b"\n") for block in record.log(self._scanned, end))
        self._scanned = end
        if end == len(self._lines_before) * BLOCK:
            self._lines_before.append(self._lines)

    def _offset_within(self, record: Record, block: int, breaks: int) -> int:
        """The byte after so many line breaks from the block's beginning on."""
        position = -1
        data = b"".join(record.log(block * BLOCK, (block + 1) * BLOCK))
        for _ in range(breaks):
            position = data.index(b"\n", position + 1)
        return block * BLOCK + position + 1


def index_of(record: Record) -> LogIndex:
    """The index of a record's log, shared by its readers."""
    return _index_of(record.identity)


@lru_cache(maxsize=INDEXES_KEPT)
def _index_of(_identity: str) -> LogIndex:
    return LogIndex()
