"""Collected logs as files: appended at a known offset, read in windows, never loaded whole.

`<data>/runs/<run id>/<invocation task id>/dbt.jsonl` holds dbt's own lines byte for byte, `airflow.log` the text of
Airflow's task log, and `artifacts/` what dbt left.
"""

import os
import re
import threading
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Literal

from contracts.log_event import parse_log_line
from models.run import Invocation
from services.settings import settings

Source = Literal["dbt", "airflow"]

_FILES: dict[Source, str] = {"dbt": "dbt.jsonl", "airflow": "airflow.log"}
_BLOCK_BYTES = 1 << 18
_WINDOW_BYTES = 64 << 20
_TEXT_LIMIT = 20_000
_TASK_LOG_LINE = re.compile(r"^\[?(?P<time>\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?)\]?\s*(?P<rest>.*)$")
_LEVEL = re.compile(r"\b(DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL)\b")
_LEVELS = {"WARNING": "warn", "WARN": "warn", "CRITICAL": "error", "ERROR": "error", "DEBUG": "debug"}


@dataclass(frozen=True)
class LogLine:
    """One line as it is shown. `text` may hold line breaks: one event of dbt is one line here."""

    number: int
    timestamp: datetime | None
    level: str
    """debug, info, warn or error."""
    text: str
    node: str | None
    """unique_id of the node that the line is about."""


@dataclass(frozen=True)
class LogWindow:
    """A part of a log. Numbers count from 1."""

    lines: list[LogLine]
    first_number: int
    total_lines: int
    complete: bool
    """Nothing will be added to the log any more."""

    @property
    def truncated(self) -> bool:
        """Whether the log has more lines than these."""
        return len(self.lines) < self.total_lines


def folder(run_id: int, task_id: str) -> Path:
    """Where the logs and artifacts of one invocation lie."""
    return settings().logs / str(run_id) / task_id


def path_of(invocation: Invocation, source: Source = "dbt") -> Path:
    """The collected log file; it may not exist yet."""
    return folder(invocation.run_id, invocation.task_id) / _FILES[source]


def artifacts_of(invocation: Invocation) -> Path:
    """The folder of the kept artifacts; it may not exist."""
    return folder(invocation.run_id, invocation.task_id) / "artifacts"


def append(path: Path, offset: int, data: bytes) -> None:
    """Write at `offset` and cut off whatever lay behind: it was written by a process that died before it committed.

    The bytes are on disk when this returns, so a cursor committed afterwards never points past the file's end.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with open(descriptor, "r+b") as file:
        file.truncate(offset)
        file.seek(offset)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def size_of(path: Path) -> int:
    """Bytes in a file, 0 when there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def read_window(
    invocation: Invocation, source: Source = "dbt", *, first: int | None = None, last: int = 20_000
) -> LogWindow:
    """The last `last` lines; or, with `first` (a line number from 1), at most `last` lines from there on."""
    complete = invocation.log_complete if source == "dbt" else invocation.task_log_complete
    path = path_of(invocation, source)
    if not path.exists():
        return LogWindow([], first_number=1, total_lines=0, complete=complete)
    index = _index_of(path)
    with path.open("rb") as file:
        total = index.extend(file, with_unfinished_line=complete)
        start = min(total + 1, max(1, first if first is not None else total - last + 1))
        index.seek(file, start)
        read = _lines(file, min(last, total - start + 1))
    render = _render_event if source == "dbt" else _render_task_log
    lines = [render(start + position, raw) for position, raw in enumerate(read)]
    return LogWindow(lines, start, total, complete)


def _lines(file: BinaryIO, count: int) -> list[str]:
    """At most `count` whole lines from here on, and never much more than a bounded number of bytes."""
    read: list[str] = []
    size = 0
    while len(read) < count and size < _WINDOW_BYTES:
        raw = file.readline()
        size += len(raw)
        read.append(raw.decode(errors="replace").rstrip("\r\n"))
    return read


def _render_event(number: int, raw: str) -> LogLine:
    event = parse_log_line(raw)
    return LogLine(number, event.timestamp, event.level, event.message[:_TEXT_LIMIT], event.unique_id)


def _render_task_log(number: int, raw: str) -> LogLine:
    match = _TASK_LOG_LINE.match(raw)
    timestamp = _moment(match["time"]) if match else None
    level = _LEVEL.search(raw[:200])
    return LogLine(number, timestamp, _LEVELS.get(level[1], "info") if level else "info", raw[:_TEXT_LIMIT], None)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.replace(",", "."))
    except ValueError:
        return None


@dataclass
class _LineIndex:
    """How many lines end before every so many bytes of a growing file; extended, when asked, by what is new."""

    offsets: list[int] = field(default_factory=lambda: [0])
    lines_before: list[int] = field(default_factory=lambda: [0])
    scanned: int = 0
    lines: int = 0
    ends_line: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    def extend(self, file: BinaryIO, *, with_unfinished_line: bool) -> int:
        """Take in what was added to the file; answers how many lines it holds."""
        with self.lock:
            if os.fstat(file.fileno()).st_size < self.scanned:
                self.offsets, self.lines_before, self.scanned, self.lines, self.ends_line = [0], [0], 0, 0, True
            file.seek(self.scanned)
            while block := file.read(_BLOCK_BYTES):
                self._take(block)
            return self.lines + (with_unfinished_line and not self.ends_line)

    def _take(self, block: bytes) -> None:
        self.scanned += len(block)
        self.ends_line = block.endswith(b"\n")
        self.lines += block.count(b"\n")
        if self.scanned - self.offsets[-1] >= _BLOCK_BYTES:
            self.offsets.append(self.scanned)
            self.lines_before.append(self.lines)

    def seek(self, file: BinaryIO, number: int) -> None:
        """Go to the beginning of a line, counted from 1."""
        with self.lock:
            mark = max(0, bisect_left(self.lines_before, number - 1) - 1)
            file.seek(self.offsets[mark])
            left = number - 1 - self.lines_before[mark]
        for _ in range(left):
            file.readline()


@lru_cache(maxsize=256)
def _index_of(_path: Path) -> _LineIndex:
    return _LineIndex()
