"""The index of a log: where each of its lines begins, and what filters need to know of it.

Beside `<log>` lie `<log>.index`, one record of fixed size a line, and `<log>.nodes`, the nodes' names that the records
count into. Both are made from the log alone: what is missing is made again. Whoever writes them holds the lock on the
log, be it the collector, which appends, or the console, which found them missing.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from services.logs.lines import Line, read_event, read_task_log
from services.logs.shown import rows_of

RECORD = np.dtype(
    [("offset", "<u8"), ("time", "<i8"), ("node", "<i4"), ("rows", "<u2"), ("level", "u1"), ("origin", "u1")]
)
NO_NODE = -1
_MOST_ROWS = 65_535
_BATCH = 5_000

Records = np.ndarray[Any, np.dtype[np.void]]
Numbers = np.ndarray[Any, np.dtype[np.int64]]
"""Of lines, counted from 0."""
Read = Callable[[bytes, Line | None], Line]


@dataclass(frozen=True)
class LineIndex:
    """What is known of a log's whole lines."""

    records: Records
    nodes: list[str]
    end: int
    """Where the last whole line ends."""
    generation: int
    """Another one, when lines that were there have gone."""


EMPTY = LineIndex(np.zeros(0, RECORD), [], 0, 0)


@contextmanager
def locked(log: BinaryIO) -> Iterator[None]:
    """Nobody else writes this log, or its index, meanwhile."""
    fcntl.flock(log, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(log, fcntl.LOCK_UN)


def reader_of(path: Path) -> Read:
    """How the lines of this file are read."""
    return read_event if path.suffix == ".jsonl" else read_task_log


def extend(path: Path, *, seconds: float) -> None:
    """Index what was added to a log, for about so long: a log of a million lines is indexed in several goes."""
    with path.open("rb") as log:
        if _end_of(_last_record(path), log) != os.fstat(log.fileno()).st_size:
            with locked(log):
                extend_locked(path, log, seconds=seconds)


def extend_locked(path: Path, log: BinaryIO, *, seconds: float = float("inf")) -> None:
    """The same for who holds the lock on the log."""
    until = time.monotonic() + seconds
    read, names = reader_of(path), _read_names(path)
    known = {name: number for number, name in enumerate(names)}
    before, start = _last_line(path, log, read)
    log.seek(start)
    while batch := list(islice(log, _BATCH)):
        records: list[tuple[int, ...]] = []
        for raw in batch:
            if not raw.endswith(b"\n"):
                break
            before = line = read(raw, before)
            node = NO_NODE if line.node is None else known.setdefault(line.node, len(known))
            records.append((start, line.time, node, min(rows_of(line.text), _MOST_ROWS), line.level, line.origin))
            start += len(raw)
        _write(path, records, list(known)[len(names) :])
        names = list(known)
        if time.monotonic() > until:
            break


def cut(path: Path, log: BinaryIO, offset: int) -> None:
    """Forget the lines of a log that end behind `offset`. The caller holds the lock on the log."""
    if _end_of(_last_record(path), log) <= offset:
        return
    records = np.fromfile(_index_path(path), RECORD)
    fresh = _index_path(path).with_suffix(".new")  # another file, by which readers see that lines have gone
    records[: max(0, np.searchsorted(records["offset"], offset, side="right") - 1)].tofile(fresh)
    fresh.replace(_index_path(path))


def load(path: Path, *, known: LineIndex = EMPTY) -> LineIndex:
    """The index as it stands; of what is `known` nothing is read again."""
    try:
        with _index_path(path).open("rb") as file, path.open("rb") as log:
            status = os.fstat(file.fileno())
            if status.st_ino != known.generation:
                known = EMPTY
            file.seek(known.records.nbytes)
            count = status.st_size // RECORD.itemsize - len(known.records)
            if count > 0:
                records = np.concatenate([known.records, np.fromfile(file, RECORD, count=count)])
                known = LineIndex(records, _read_names(path), _end_of(records[-1:], log), status.st_ino)
            return known
    except FileNotFoundError:
        return EMPTY


def _index_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.index")


def _names_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.nodes")


def _read_names(path: Path) -> list[str]:
    """Each name follows a line break, so that one that a killed process left unfinished spoils no other."""
    try:
        return _names_path(path).read_text(errors="replace").split("\n")[1:]
    except FileNotFoundError:
        return []


def _write(path: Path, records: list[tuple[int, ...]], names: list[str]) -> None:
    """Names before the records that count into them; the records whole, behind whatever was left unfinished."""
    if names:
        with _names_path(path).open("a") as file:
            file.write("".join(f"\n{name}" for name in names))
    with open(os.open(_index_path(path), os.O_RDWR | os.O_CREAT, 0o600), "r+b") as index:
        whole = os.fstat(index.fileno()).st_size // RECORD.itemsize
        index.truncate(whole * RECORD.itemsize)
        index.seek(0, os.SEEK_END)
        index.write(np.array(records, RECORD).tobytes())


def _last_record(path: Path) -> Records:
    """The last whole record, if any."""
    try:
        with _index_path(path).open("rb") as file:
            whole = os.fstat(file.fileno()).st_size // RECORD.itemsize
            file.seek(max(0, whole - 1) * RECORD.itemsize)
            return np.fromfile(file, RECORD, count=min(whole, 1))
    except FileNotFoundError:
        return EMPTY.records


def _end_of(last: Records, log: BinaryIO) -> int:
    """Where the line of the last record ends; 0 when there is none."""
    if not len(last):
        return 0
    log.seek(int(last["offset"][0]))
    return int(last["offset"][0]) + len(log.readline())


def _last_line(path: Path, log: BinaryIO, read: Read) -> tuple[Line | None, int]:
    """The last line that is indexed, and where it ends. An index that goes past its log's end is of another log."""
    last = _last_record(path)
    if len(last) and int(last["offset"][0]) >= os.fstat(log.fileno()).st_size:
        _index_path(path).unlink()
        return None, 0
    if not len(last):
        return None, 0
    log.seek(int(last["offset"][0]))
    raw = log.readline()
    line = read(raw, None)
    line = line._replace(level=int(last["level"][0]), origin=int(last["origin"][0]))
    return line, int(last["offset"][0]) + len(raw)
