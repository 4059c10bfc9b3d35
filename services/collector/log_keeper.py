"""dbt's log, from the dbt API into the file and, folded, into node results: one transaction a piece.

Order matters: the bytes are on disk before the cursor is committed, and what a killed collector wrote behind the
cursor is cut off by the next append. The cursor always stands at the beginning of a line.
"""

from typing import Any

from contracts.log_event import LogEvent, parse_log_line
from models.run import Invocation, Run
from services import logs
from services.collector import store
from services.dbt_api import DbtApi, LogChunk
from services.results import Fold, fold

_PIECE_BYTES = 1 << 20
_LONGEST_LINE_BYTES = 64 << 20


def keep_next_piece(api: DbtApi, invocation: Invocation) -> tuple[bool, bool]:
    """Fetch, store and fold the next whole lines; answers whether more is ready, and whether the log is complete.

    Moves `invocation.log_bytes`. Raises what the dbt API's client raises.
    """
    size = logs.size_of(logs.path_of(invocation))
    if size < invocation.log_bytes:
        invocation.log_bytes = 0  # the file was lost: fetch it again; folding an event twice changes nothing
    chunk, more = _whole_lines(api, invocation.task_id, invocation.log_bytes)
    if chunk.data or size > invocation.log_bytes:
        logs.append(logs.path_of(invocation), invocation.log_bytes, chunk.data)
    if chunk.data:
        invocation.log_bytes = _fold_into_database(invocation, chunk.data)
    return more, chunk.complete


def keep_lines(invocation: Invocation, data: bytes, *, cursor: str | None, from_airflow: bool = False) -> None:
    """Store and fold whole lines that come after all that is kept, and with them where their source goes on."""
    logs.append(logs.path_of(invocation), invocation.log_bytes, data)
    invocation.log_bytes = _fold_into_database(invocation, data, log_cursor=cursor, log_from_airflow=from_airflow)
    invocation.log_cursor, invocation.log_from_airflow = cursor, from_airflow


def _whole_lines(api: DbtApi, task_id: str, offset: int) -> tuple[LogChunk, bool]:
    """The next lines, and whether they filled the piece; a line longer than a piece makes the piece longer."""
    size = _PIECE_BYTES
    while True:
        chunk = api.log_chunk(task_id, offset=offset, max_bytes=size)
        whole = len(chunk.data) if chunk.complete else chunk.data.rfind(b"\n") + 1
        if whole or len(chunk.data) < size or size >= _LONGEST_LINE_BYTES:
            more = len(chunk.data) == size and not chunk.complete
            return LogChunk(chunk.data[:whole], offset, chunk.complete), more
        size *= 4


def _fold_into_database(invocation: Invocation, data: bytes, **marks: Any) -> int:
    events = [parse_log_line(line) for line in data.decode(errors="replace").split("\n") if line]
    with store.writing() as opened:
        row = opened.get_one(Invocation, invocation.id)
        run = opened.get_one(Run, row.run_id)
        known = store.nodes_by_id(opened, row.id, _named_in(events))
        result = fold(events, Fold(nodes=dict(known), error=row.message))
        for unique_id, node in result.nodes.items():
            if unique_id not in known:
                node.invocation_id = row.id or 0
                opened.add(node)
        _note_facts(row, run, result)
        row.log_bytes = invocation.log_bytes + len(data)
        row.sqlmodel_update(marks)
        store.count_nodes(opened, run, row)
        return row.log_bytes


def _named_in(events: list[LogEvent]) -> set[str]:
    return {name for event in events for name in (event.unique_id, event.data.get("conn_name")) if name}


def _note_facts(invocation: Invocation, run: Run, result: Fold) -> None:
    invocation.dbt_version = result.dbt_version or invocation.dbt_version
    invocation.threads = result.threads or invocation.threads
    invocation.message = result.error
    invocation.dbt_began_at = invocation.dbt_began_at or result.began_at
    invocation.parsed_at = invocation.parsed_at or result.parsed_at
    invocation.dbt_ended_at = result.ended_at or invocation.dbt_ended_at
    if result.node_total is not None:
        run.nodes_total = max(run.nodes_total or 0, result.node_total)
