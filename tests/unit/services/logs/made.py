"""Lines as dbt and Airflow write them, and a short way to read a view."""

import json

from models.run import Invocation
from services import logs
from services.logs import Query, Source

EVERYTHING = Query(source="dbt")


def event(text: str, level: str = "info", *, node: str | None = None, second: float = 0) -> bytes:
    """One line of dbt's."""
    info = {"name": "Note", "level": level, "msg": text, "ts": f"2026-11-23T21:00:{second:09.6f}Z"}
    data = {"node_info": {"unique_id": node}} if node else {}
    return json.dumps({"info": info, "data": data}).encode() + b"\n"


def add(invocation: Invocation, data: bytes, source: Source = "dbt") -> None:
    """Append, as the collector does."""
    path = logs.path_of(invocation, source)
    logs.append(path, logs.size_of(path), data)


def texts(invocation: Invocation, query: Query = EVERYTHING) -> list[str]:
    """The texts of all lines that a query shows, without their styles."""
    view = logs.open_view(invocation, query, seconds=60, search_seconds=60)
    shown = [row.text for row in view.rows(0, view.total)]
    return [text if isinstance(text, str) else "".join(piece for piece, _ in text) for text in shown]
