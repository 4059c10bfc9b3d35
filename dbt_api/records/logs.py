"""An invocation's log in two forms: raw bytes by range, and the rendered tail that older clients want whole."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contracts.log_event import parse_log_line

RENDERED_LIMIT = 1 << 20
RAW_TAIL = 16 << 20
"""dbt's JSON at debug level is some ten times the text that people want to read."""
BLOCK = 64 << 10
RANGE = re.compile(r"^bytes=([0-9]{0,18})-([0-9]{0,18})$")


@dataclass(frozen=True)
class ByteRange:
    """Bytes `start` up to but not including `end`."""

    start: int
    end: int


def requested_range(header: str | None, size: int) -> ByteRange | None:
    """The range that a Range header means in a file of this size; None when it holds no byte of it.

    No header, or one that we don't understand, means the whole file (RFC 9110, section 14.2).
    """
    found = RANGE.match(header or "")
    if found is None or found.groups() == ("", ""):
        return ByteRange(0, size)
    first, last = found.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    return ByteRange(start, end) if start < end else None


def read_range(path: Path, wanted: ByteRange) -> Iterator[bytes]:
    """The bytes of a range in blocks; the file is never read whole."""
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(wanted.start)
        left = wanted.end - wanted.start
        while left > 0 and (block := file.read(min(BLOCK, left))):
            left -= len(block)
            yield block


def rendered_tail(path: Path) -> str:
    """The last 1 MiB of the log as text, debug lines left out; says so when it is not all. Empty for no log."""
    raw, cut = _raw_tail(path)
    text = "".join(f"{line}\n" for line in _render(raw))
    encoded = text.encode()
    if len(encoded) > RENDERED_LIMIT:
        text, cut = encoded[-RENDERED_LIMIT:].decode(errors="ignore").partition("\n")[2], True
    return f"[The log is longer: this is its end.]\n{text}" if cut else text


def _raw_tail(path: Path) -> tuple[bytes, bool]:
    if not path.exists():
        return b"", False
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - RAW_TAIL))
        raw = file.read(RAW_TAIL)
    return (raw.partition(b"\n")[2], True) if size > RAW_TAIL else (raw, False)


def _render(raw: bytes) -> Iterator[str]:
    for line in raw.decode(errors="replace").splitlines():
        event = parse_log_line(line)
        if event.level != "debug" and event.message:
            clock = event.timestamp.strftime("%H:%M:%S  ") if event.timestamp else ""
            yield f"{clock}{event.message}"
