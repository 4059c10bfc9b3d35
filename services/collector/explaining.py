"""At the end of an invocation: where in its file, its compiled SQL and dbt's log each failed node failed."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from contracts.log_event import LogEvent, parse_log_line
from models.run import NodeResult
from services.run.error_places import compiled_line, file_line, place_in_file

_MOST = 200
"""So many failed nodes are explained: with more, something common to all of them is wrong."""
_LOGGED = ("SQLQuery", "error")
"""What a line of interest holds: the statement as it was sent, or the level of an error."""


def explain(nodes: Iterable[NodeResult], log: Path, manifest: Mapping[str, Any]) -> None:
    """Note the places of the failures. Safe to repeat; what nobody tells stays unknown."""
    failed = {node.unique_id: node for node in [one for one in nodes if one.status.is_bad][:_MOST]}
    if not failed:
        return
    statements = _read_log(failed, log)
    described = {**(manifest.get("nodes") or {}), **(manifest.get("unit_tests") or {})}
    for unique_id, node in failed.items():
        _place(node, statements.get(unique_id), described.get(unique_id) or {})


def _place(node: NodeResult, statement: str | None, described: Mapping[str, Any]) -> None:
    node.file = described.get("original_file_path") or node.file
    node.compiled_sql = node.compiled_sql or described.get("compiled_code")
    message, sql = node.message or "", node.compiled_sql or ""
    node.compiled_line = compiled_line(message, sql, statement)
    node.file_line = place_in_file(message)
    if node.compiled_line and node.file_line is None:
        node.file_line = file_line(sql, node.compiled_line, described.get("raw_code") or "")


def _read_log(failed: Mapping[str, NodeResult], log: Path) -> dict[str, str]:
    """The last statement of each node that holds its compiled SQL; the line of its error is noted on the way."""
    statements: dict[str, str] = {}
    if not log.exists():
        return statements
    with log.open(errors="replace") as file:
        for number, line in enumerate(file, 1):
            if any(word in line for word in _LOGGED):
                _note(parse_log_line(line), number, failed, statements)
    return statements


def _note(event: LogEvent, number: int, failed: Mapping[str, NodeResult], statements: dict[str, str]) -> None:
    node = failed.get(event.unique_id or str(event.data.get("conn_name")))
    if node is None:
        return
    if event.level == "error" and node.log_line is None:
        node.log_line = number
    sql = str(event.data.get("sql") or "")
    if event.name == "SQLQuery" and (node.compiled_sql or "").strip() in sql:
        statements[node.unique_id] = sql
