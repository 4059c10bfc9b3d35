"""The history as CSV for other tools: read and written a batch at a time, at most so many rows."""

import csv
import io
from collections.abc import Iterable

from sqlalchemy import select
from sqlmodel import col

from models.run import Run
from services.database import session
from services.runs.figures import elapsed
from services.runs.history import RunFilter

MOST_ROWS = 100_000
_BATCH = 2_000
_NAMES = (
    *("id", "project", "state", "operator", "command", "target", "trigger", "launched_by", "git_sha"),
    *("created_at", "started_at", "finished_at", "message"),
    *("nodes_total", "nodes_ok", "nodes_warn", "nodes_error", "nodes_skipped"),
)
_COLUMNS = tuple(getattr(Run, name) for name in _NAMES)
_TIMES = ("queued_seconds", "seconds")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def runs_as_csv(chosen: RunFilter, *, most: int = MOST_ROWS) -> bytes:
    """The newest runs that fit, newest first, with a line of names above them."""
    text = io.TextIOWrapper(buffer := io.BytesIO(), encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow([*_NAMES, *_TIMES])
    times = (elapsed(Run.created_at, Run.started_at), elapsed(Run.started_at, Run.finished_at))
    query = (
        select(*_COLUMNS, *times)
        .where(*chosen.conditions())
        .order_by(col(Run.created_at).desc(), col(Run.id).desc())
        .limit(most)
    )
    with session() as opened:
        for row in opened.execute(query.execution_options(yield_per=_BATCH)):
            writer.writerow(_cells(row))
    text.flush()
    return buffer.getvalue()


def _cells(row: Iterable[object]) -> list[object]:
    return [round(cell, 3) if isinstance(cell, float) else _harmless(cell) for cell in row]


def _harmless(cell: object) -> object:
    """Text that a spreadsheet would take for a formula gets an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
