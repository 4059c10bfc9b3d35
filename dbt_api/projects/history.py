"""What became of each node in the invocations so far, in a table that outlives their logs."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func
from sqlmodel import col, delete, select

from contracts.dbt_api import NodeOutcome
from contracts.dbt_values import count, moment
from contracts.log_event import LogEvent, parse_log_line
from dbt_api.database import session
from dbt_api.settings import settings
from dbt_api.tables import InvocationRow, NodeHistoryRow, now

FINISHED = b'"NodeFinished"'


def keep(row: InvocationRow, log: Path) -> None:
    """Write down what an ended invocation did to each node, by its log; forget what is too old. Safe to repeat."""
    results = {result.unique_id: result for result in _results(row, log)}
    with session() as opened:
        opened.exec(delete(NodeHistoryRow).where(col(NodeHistoryRow.task_id) == row.task_id))
        opened.add_all(results.values())
        oldest = now() - timedelta(days=settings().node_history_days)
        opened.exec(delete(NodeHistoryRow).where(col(NodeHistoryRow.finished_at) < oldest))


def page(
    project: str, unique_id: str, *, limit: int, before: int | None = None, target: str | None = None
) -> list[NodeHistoryRow]:
    """Results of a node, newest first, older than the id `before`."""
    query = (
        select(NodeHistoryRow)
        .where(NodeHistoryRow.project == project, NodeHistoryRow.unique_id == unique_id)
        .order_by(col(NodeHistoryRow.id).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(NodeHistoryRow.id) < before)
    if target is not None:
        query = query.where(NodeHistoryRow.target == target)
    with session() as opened:
        return list(opened.exec(query))


def last(project: str, unique_ids: Iterable[str]) -> dict[str, NodeOutcome]:
    """The newest result of each of these nodes that has one."""
    newest = (
        select(func.max(NodeHistoryRow.id))
        .where(NodeHistoryRow.project == project, col(NodeHistoryRow.unique_id).in_(list(unique_ids)))
        .group_by(col(NodeHistoryRow.unique_id))
    )
    with session() as opened:
        rows = opened.exec(select(NodeHistoryRow).where(col(NodeHistoryRow.id).in_(newest)))
        return {row.unique_id: shown(row) for row in rows}


def forget(project: str) -> None:
    """Delete the history of a project's nodes."""
    with session() as opened:
        opened.exec(delete(NodeHistoryRow).where(col(NodeHistoryRow.project) == project))


def shown(row: NodeHistoryRow) -> NodeOutcome:
    """The row as `/api/v1` shows it."""
    return NodeOutcome.model_validate(row, from_attributes=True)


def _results(row: InvocationRow, log: Path) -> Iterator[NodeHistoryRow]:
    if not log.exists():
        return
    with log.open("rb") as file:
        for line in file:
            if FINISHED in line:
                event = parse_log_line(line.decode(errors="replace"))
                if event.name == "NodeFinished" and event.unique_id:
                    yield _result(row, event)


def _result(row: InvocationRow, event: LogEvent) -> NodeHistoryRow:
    run_result: dict[str, Any] = event.data.get("run_result") or {}
    status = str(event.node_info.get("node_status"))
    seconds = run_result.get("execution_time")
    return NodeHistoryRow(
        project=row.project,
        unique_id=str(event.unique_id),
        task_id=row.task_id,
        target=row.concurrency_key.partition("/")[2],
        status=status,
        execute_ms=round(seconds * 1000) if isinstance(seconds, int | float) and status != "skipped" else None,
        rows=count((run_result.get("adapter_response") or {}).get("rows_affected")),
        finished_at=moment(event.node_info.get("node_finished_at")) or event.timestamp or now(),
    )
