"""An invocation's log as lines: filtered, in windows, as dbt's events or as text; never held whole."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from contracts.dbt_api import LogQuery
from contracts.log_event import LogEvent, parse_log_line
from dbt_api.records.log_index import index_of
from dbt_api.records.record import BLOCK, Record

RENDERED_LIMIT = 1 << 20
RAW_TAIL = 16 << 20
"""dbt's JSON at debug level is some ten times the text that people want to read."""
WINDOW_LINES = 1000
WINDOW_BYTES = 8 << 20
LEVELS = ("debug", "info", "warn", "error")


@dataclass(frozen=True)
class Window:
    """Some lines of a log, and the `offset` (in lines) that the next window begins at."""

    lines: list[bytes]
    next_offset: int


def window(record: Record, query: LogQuery) -> Window:
    """The lines that a query asks for, as far as one answer should hold; at least one if there is one."""
    if query.tail is not None:
        return _tail(record, query)
    offset, limit = query.offset or 0, query.limit or WINDOW_LINES
    kept: list[bytes] = []
    size = 0
    for number, line in numbered_lines(record, offset):
        if len(kept) == limit or size >= WINDOW_BYTES:
            return Window(kept, number)
        offset = number + 1
        if (told := shown(line, query)) is not None:
            kept.append(told)
            size += len(told)
    return Window(kept, offset)


def blocks_of_lines(record: Record, query: LogQuery) -> Iterator[bytes]:
    """All lines that a query asks for, joined to blocks, for a file."""
    block: list[bytes] = []
    size = 0
    for line in _all_lines(record, query):
        block.append(line)
        size += len(line)
        if size >= BLOCK:
            yield b"".join(block)
            block, size = [], 0
    yield b"".join(block)


def _all_lines(record: Record, query: LogQuery) -> Iterator[bytes]:
    if query.tail is not None:
        return iter(_tail(record, query).lines)
    told = (shown(line, query) for _, line in numbered_lines(record, query.offset or 0))
    return islice((each for each in told if each is not None), query.limit)


def numbered_lines(record: Record, first: int) -> Iterator[tuple[int, bytes]]:
    """Lines of the log with their numbers from 0, from a number on, read piece by piece."""
    position, number = index_of(record).offset(record, first), first
    while lines := record.log_lines(position):
        for line in lines:
            position += len(line)
            yield number, line
            number += 1


def _tail(record: Record, query: LogQuery) -> Window:
    """The last lines that match. Without a filter only the log's end is read."""
    count = min(each for each in (query.tail, query.limit) if each is not None)
    total, first = index_of(record).lines(record), query.offset or 0
    if not _has_filter(query):
        first = max(first, total - count)
    kept: deque[bytes] = deque(maxlen=count)
    for _, line in islice(numbered_lines(record, first), max(0, total - first)):
        if (told := shown(line, query)) is not None:
            kept.append(told)
    return Window(_end_of(kept), total)


def _end_of(lines: deque[bytes]) -> list[bytes]:
    size = sum(map(len, lines))
    while size > WINDOW_BYTES and len(lines) > 1:
        size -= len(lines.popleft())
    return list(lines)


def shown(line: bytes, query: LogQuery) -> bytes | None:
    """A line in the form asked for; None when it does not match."""
    as_text = query.format == "text"
    if not _has_filter(query) and not as_text:
        return line
    if not _may_match(line, query):
        return None
    event = parse_log_line(line.decode(errors="replace"))
    if not _matches(event, query):
        return None
    return f"{rendered(event)}\n".encode() if as_text else line


def _has_filter(query: LogQuery) -> bool:
    return not (query.level is query.q is query.node is None)


def _may_match(line: bytes, query: LogQuery) -> bool:
    """Refuses most lines that will not match, without parsing them."""
    if query.level not in (None, "debug") and line.count(b'"level": "') == 1 and b'"level": "debug"' in line:
        return False
    if query.node is not None and _is_plain(query.node) and query.node.encode() not in line:
        return False
    return query.q is None or not _is_plain(query.q) or query.q.lower().encode() in line.lower()


def _is_plain(text: str) -> bool:
    """Whether JSON writes a text as it is."""
    return json.dumps(text)[1:-1] == text


def _matches(event: LogEvent, query: LogQuery) -> bool:
    return (
        (query.level is None or LEVELS.index(event.level) >= LEVELS.index(query.level))
        and (query.node is None or event.unique_id == query.node)
        and (query.q is None or query.q.lower() in event.message.lower())
    )


def rendered(event: LogEvent) -> str:
    """An event as people read it: time of day in UTC, and message."""
    clock = event.timestamp.strftime("%H:%M:%S  ") if event.timestamp else ""
    return f"{clock}{event.message}"


def rendered_tail(record: Record) -> str:
    """The last 1 MiB of the log as text, debug lines left out; says so when it is not all. Empty for no log."""
    size = record.log_size
    raw = b"".join(record.log(max(0, size - RAW_TAIL), size))
    cut = size > RAW_TAIL
    events = map(parse_log_line, (raw.partition(b"\n")[2] if cut else raw).decode(errors="replace").splitlines())
    text = "".join(f"{rendered(event)}\n" for event in events if event.level != "debug" and event.message)
    encoded = text.encode()
    if len(encoded) > RENDERED_LIMIT:
        text, cut = encoded[-RENDERED_LIMIT:].decode(errors="ignore").partition("\n")[2], True
    return f"[The log is longer: this is its end.]\n{text}" if cut else text
