"""A viewer for long logs: a Streamlit custom component (v2) that lays out only the lines near the screen.

At most one window of lines travels to the browser; after that only what is new, and the browser asks for a whole
window when it has lost its place (a page opened again). Nothing of the log is kept in the session.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import streamlit as st

from services.logs import LogLine, LogWindow

WINDOW_LINES = 20_000
WINDOW_CHARACTERS = 3_000_000
_HERE = Path(__file__).parent


@dataclass
class _Place:
    """What the browser has of one log."""

    log: str
    first: int | None
    """First line of the window; None for the newest lines."""
    next: int = 0
    """The line that the browser needs next; 0 when it needs a whole window."""

    def start_over(self) -> None:
        """The browser has lost its window."""
        self.next = 0

    def go_back(self, before: int) -> None:
        """A whole window that begins half a window earlier."""
        self.first, self.next = max(1, before - WINDOW_LINES // 2), 0

    def go_on(self) -> None:
        """Half a window more at the end."""
        self.first = max(1, self.next - WINDOW_LINES // 2)


@cache
def _component() -> Any:
    # Inline css and js must contain a line break, or they are taken for paths.
    html, css, js = ((_HERE / f"log_view.{kind}").read_text() for kind in ("html", "css", "js"))
    return st.components.v2.component("pilothouse_log_view", html=html, css=css, js=js)


def log_view(
    log: str,
    read: Callable[[int | None, int], LogWindow],
    *,
    key: str,
    start: datetime | None = None,
    anchor: str | None = None,
    search: str = "",
    empty: str = "This log is empty.",
    height: int = 560,
) -> str | None:
    """Show the log named `log` and return the line, or range of lines, that was just clicked.

    `read(first, last)` gives at most `last` lines from line `first` on, or the newest ones when `first` is None.
    `anchor` is the line ("120") or range ("120-130") to open at; without one the newest lines are shown.
    """
    place = _place(f"{key}_place", log, anchor)
    full = place.next == 0
    window = read(place.first if full else place.next, WINDOW_LINES)
    lines = _within_bounds(window.lines, place)
    first = lines[0].number if lines else window.first_number
    place.next = first + len(lines)
    if place.next > window.total_lines:
        place.first = None  # the window has reached the end: from now on it follows
    answer = _component()(
        data={
            "log": log,
            "full": full,
            "first": first,
            "rows": [_row(line) for line in lines],
            "total": window.total_lines,
            "live": not window.complete,
            "start": _milliseconds(start),
            "anchor": anchor,
            "search": search,
            "empty": empty,
            "height": height,
        },
        key=key,
        on_resync_change=place.start_over,
        on_earlier_change=lambda: place.go_back(st.session_state[key].earlier),
        on_later_change=place.go_on,
        on_line_change=lambda: None,
    )
    clicked: str | None = answer.line
    return clicked


def _place(key: str, log: str, anchor: str | None) -> _Place:
    """What the browser has of this log. It starts around the anchor, or at the newest lines."""
    place: _Place | None = st.session_state.get(key)
    if place is None or place.log != log:
        line = re.match(r"[1-9]\d{0,8}", anchor or "")
        first = max(1, int(line[0]) - WINDOW_LINES // 2) if line else None
        place = _Place(log, first)
        st.session_state[key] = place
    return place


def _within_bounds(lines: list[LogLine], place: _Place) -> list[LogLine]:
    """As many lines as one window may hold: the newest ones, or the first ones of a window that was asked for."""
    is_tail = place.first is None
    if place.first is not None and place.next:
        lines = lines[: max(0, place.first + WINDOW_LINES - place.next)]
    ordered = lines[::-1] if is_tail else lines
    sizes = accumulate(len(line.text) for line in ordered)
    kept = [line for line, size in zip(ordered, sizes, strict=True) if size <= WINDOW_CHARACTERS or line is ordered[0]]
    return kept[::-1] if is_tail else kept


def _row(line: LogLine) -> tuple[str, int | None, str]:
    return line.level[:1], _milliseconds(line.timestamp), line.text


def _milliseconds(moment: datetime | None) -> int | None:
    return round(moment.timestamp() * 1000) if moment else None
