"""Logs opened for one question: their index brought up to date, for a bounded time, and remembered by the process."""

import os
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from models.run import Invocation
from services.logs import index as indexing
from services.logs.files import Source, path_of
from services.logs.index import EMPTY, RECORD, LineIndex, Numbers
from services.logs.lines import NO_TIME
from services.logs.reading import LONGEST_LINE

_MOST_RECORDS = 5_000_000
"""Lines of all logs together whose index stays in memory, 24 bytes each."""


@dataclass(frozen=True)
class OpenLog:
    """One log as of now."""

    source: Source
    path: Path
    index: LineIndex
    complete: bool
    """Nothing will be added to it any more."""
    read: float
    """How much of the file the index covers, from 0 to 1."""

    @cached_property
    def moments(self) -> Numbers:
        """When each line was said. One without a time was said with the line before it; time never runs back."""
        times = self.index.records["time"]
        timed = np.flatnonzero(times != NO_TIME)
        if not len(timed):
            return np.zeros(len(times), np.int64)
        rising = np.maximum.accumulate(times[timed])
        return rising[np.maximum(np.searchsorted(timed, np.arange(len(times)), side="right") - 1, 0)]


def open_logs(invocation: Invocation, sources: Iterable[Source], *, seconds: float) -> list[OpenLog]:
    """Open logs of an invocation; one that is not indexed yet is indexed on, for about so long."""
    ends = {"dbt": invocation.log_complete, "airflow": invocation.task_log_complete}
    return [_open(path_of(invocation, source), source, complete=ends[source], seconds=seconds) for source in sources]


def _open(path: Path, source: Source, *, complete: bool, seconds: float) -> OpenLog:
    try:
        indexing.extend(path, seconds=seconds)
        size = path.stat().st_size
    except FileNotFoundError:
        return OpenLog(source, path, EMPTY, complete, 1.0)
    index = _remembered(path)
    read = min(1.0, index.end / size) if size else 1.0
    if index.end < size and (rest := _rest(path, index)) is not None:
        read = 1.0
        index = _with_line(index, rest) if complete else index
    return OpenLog(source, path, index, complete, read)


def _rest(path: Path, index: LineIndex) -> bytes | None:
    """A last line without an end; None when there are whole lines that are not indexed yet."""
    with path.open("rb") as file:
        rest = os.pread(file.fileno(), LONGEST_LINE, index.end)
    return None if b"\n" in rest else rest


def _with_line(index: LineIndex, raw: bytes) -> LineIndex:
    """dbt was killed in the middle of a line: it is shown as far as it came."""
    last = np.zeros(1, RECORD)
    last["offset"], last["time"], last["node"], last["rows"], last["level"], last["origin"] = index.end, -1, -1, 1, 2, 1
    return replace(index, records=np.concatenate([index.records, last]), end=index.end + len(raw))


_known: OrderedDict[Path, LineIndex] = OrderedDict()
_guard = threading.Lock()


def _remembered(path: Path) -> LineIndex:
    with _guard:
        known = _known.pop(path, EMPTY)
    found = indexing.load(path, known=known)
    with _guard:
        _known[path] = found
        while len(_known) > 1 and sum(len(one.records) for one in _known.values()) > _MOST_RECORDS:
            _known.popitem(last=False)
    return found
