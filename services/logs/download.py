"""Logs as files to take away: streamed, in pieces."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from models.run import Invocation
from services.logs.query import Query
from services.logs.rows import Row
from services.logs.view import View, open_view

_PIECE_BYTES = 1 << 18
_PIECE_ROWS = 500


def raw_of(path: Path) -> Iterator[bytes]:
    """A log as it was written."""
    if path.exists():
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece


def lines_of(invocation: Invocation, query: Query) -> Iterator[bytes]:
    """The lines chosen, as text: time in UTC, level, what was said."""
    view = open_view(invocation, query, seconds=float("inf"), search_seconds=float("inf") if query.only else 0)
    for first in range(0, view.total, _PIECE_ROWS):
        yield "".join(_text(view, row) for row in view.rows(first, _PIECE_ROWS)).encode()


def _text(view: View, row: Row) -> str:
    text = view.whole(row.line) if row.more else row.text
    said = text if isinstance(text, str) else "".join(piece for piece, _ in text)
    moment = "" if row.time is None else datetime.fromtimestamp(row.time / 1000, UTC).isoformat(timespec="milliseconds")
    return f"{moment.removesuffix('+00:00') + 'Z' if moment else '':24} {row.level:5} {said}\n"
