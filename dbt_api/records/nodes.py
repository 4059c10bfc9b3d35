"""From dbt's log to the nodes of an attempt: a fold that goes on where it stood, so a growing log is read once.

Status comes from `data.node_info.node_status` alone: `data.status` is the adapter's text. A line told twice changes
nothing. Source of the events: `dbt --log-format json --log-level debug`, dbt-core 1.5 to 1.12.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, get_args

from contracts.dbt_api import InvocationNode, InvocationNodes, NodeStatus
from contracts.dbt_values import count, moment
from contracts.log_event import LogEvent, parse_log_line
from dbt_api.records.causes import DependsOn, first_failure_above, is_bad, read_graph
from dbt_api.records.record import Record
from dbt_api.records.sequence import seq_of

STATUSES = set(get_args(NodeStatus)) - {"interrupted"}
TESTS = ("test", "unit_test")
MARKS = (b'"node_status"', b"LogCancelLine")
"""Only lines that hold one of these can change a node; the others, most of the log, are not even parsed."""
FOLDS_KEPT = 16
"""A fold of 3,000 nodes takes some 6 MB; one that was forgotten is made again from the log."""


class NodeFold:
    """What the lines so far say of the nodes. `graph` gives the project's graph when a node is skipped."""

    def __init__(self, attempt: int, graph: Callable[[], DependsOn]) -> None:
        self.nodes: dict[str, InvocationNode] = {}
        self.position = 0
        self.closed = False
        self._attempt = attempt
        self._graph = graph
        self._depends_on: DependsOn = {}
        self._failed_tests: list[str] = []

    def add(self, line: bytes) -> InvocationNode | None:
        """Take in the log's next line, with its line break; answers the node that it changed, if any."""
        start = self.position
        self.position += len(line)
        if not any(mark in line for mark in MARKS):
            return None
        event = parse_log_line(line.decode(errors="replace"))
        unique_id = event.unique_id or event.data.get("conn_name")
        before = self.nodes[unique_id].model_copy() if unique_id in self.nodes else None
        self._take_in(event)
        node = self.nodes.get(str(unique_id))
        if node is None or node == before:
            return None
        node.seq = seq_of(self._attempt, start + 1)
        return node

    def close(self, run_results: Mapping[str, Any]) -> list[InvocationNode]:
        """The attempt is over: what still runs was interrupted. Answers the nodes that this changed.

        So was a node that dbt reports as an error but leaves out of run_results.json.
        """
        self.closed = True
        finished = {row.get("unique_id") for row in run_results.get("results") or []}
        cut_short = [
            node
            for node in self.nodes.values()
            if node.status == "started" or (finished and node.unique_id not in finished and is_bad(node.status))
        ]
        for place, node in enumerate(cut_short, start=self.position + 1):
            node.status = "interrupted"
            node.seq = seq_of(self._attempt, place)
        return cut_short

    def _take_in(self, event: LogEvent) -> None:
        if event.name == "LogCancelLine":
            self._interrupt(str(event.data.get("conn_name")))
        elif event.name == "RunResultError":
            self._note_message(event)
        elif event.node_info.get("node_status") in STATUSES:
            self._note_status(event)

    def _interrupt(self, unique_id: str) -> None:
        """dbt cancels the queries that run when it is interrupted; it then reports their nodes as errors."""
        node = self.nodes.get(unique_id)
        if node is not None and node.status == "started":
            node.status = "interrupted"

    def _note_message(self, event: LogEvent) -> None:
        node = self.nodes.get(event.unique_id or "")
        if node is not None and not node.message:
            node.message = str(event.data.get("msg") or event.message)

    def _note_status(self, event: LogEvent) -> None:
        info, status = event.node_info, event.node_info["node_status"]
        node = self._node_of(info)
        node.started_at = node.started_at or moment(info.get("node_started_at"))
        if status == "started":
            node.thread = node.thread or event.thread or None
            return
        if node.status != "interrupted":
            node.status = status
        node.finished_at = moment(info.get("node_finished_at")) or node.finished_at
        if event.name == "NodeFinished":
            _note_run_result(node, event.data.get("run_result") or {})
        if node.resource_type in TESTS and is_bad(status):
            self._failed_tests.append(node.unique_id)
        if status == "skipped" and node.skip_cause is None:
            node.skip_cause = self._skip_cause(node.unique_id)

    def _node_of(self, info: Mapping[str, Any]) -> InvocationNode:
        unique_id = str(info["unique_id"])
        if unique_id not in self.nodes:
            self.nodes[unique_id] = InvocationNode(
                unique_id=unique_id,
                name=str(info.get("node_name") or unique_id.split(".")[-1]),
                resource_type=str(info.get("resource_type") or unique_id.split(".")[0]),
                status="started",
                relation=(info.get("node_relation") or {}).get("relation_name") or None,
                attempt=self._attempt,
                seq=0,
            )
        return self.nodes[unique_id]

    def _skip_cause(self, unique_id: str) -> str | None:
        """dbt tells of the failure before it tells of what it skips for it, so the cause is known by now."""
        self._depends_on = self._depends_on or self._graph()
        return first_failure_above(unique_id, self.nodes, self._depends_on, failed_tests=self._failed_tests)


def _note_run_result(node: InvocationNode, run_result: Mapping[str, Any]) -> None:
    node.thread = run_result.get("thread") or node.thread
    node.message = run_result.get("message") or node.message
    adapter = run_result.get("adapter_response") or {}
    node.rows = _count(adapter.get("rows_affected"), node.rows)
    node.bytes = _count(adapter.get("bytes_processed"), node.bytes)
    timing = {each.get("name"): each for each in run_result.get("timing_info") or []}
    node.compile_ms = _milliseconds(timing.get("compile"), node.compile_ms)
    node.execute_ms = _milliseconds(timing.get("execute"), node.execute_ms)


def _milliseconds(timing: Mapping[str, Any] | None, known: int | None) -> int | None:
    begin, end = (moment((timing or {}).get(name)) for name in ("started_at", "completed_at"))
    return round((end - begin).total_seconds() * 1000) if begin and end else known


def _count(value: Any, known: int | None) -> int | None:
    read = count(value)
    return known if read is None else read


def fold_of(record: Record) -> NodeFold:
    """A new fold of a record, at the beginning of its log."""
    return NodeFold(record.attempt, lambda: read_graph(record.json_artifact("manifest.json")))


def fold_lines(fold: NodeFold, lines: Iterable[bytes]) -> None:
    """Take in lines without asking what they change."""
    for line in lines:
        fold.add(line)


class _SharedFold:
    """The fold that all readers of one attempt share, one at a time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.fold: NodeFold | None = None

    def catch_up(self, record: Record) -> NodeFold:
        fold = self.fold = self.fold or fold_of(record)
        while not fold.closed and (lines := record.log_lines(fold.position)):
            fold_lines(fold, lines)
        if record.complete and not fold.closed:
            fold.close(record.json_artifact("run_results.json"))
        return fold


@lru_cache(maxsize=FOLDS_KEPT)
def _shared_fold(_identity: str) -> _SharedFold:
    return _SharedFold()


def nodes_since(record: Record, since: int) -> InvocationNodes:
    """The nodes of a record that changed after a place; all of them after -1 or a place of an earlier attempt."""
    shared = _shared_fold(record.identity)
    with shared.lock:
        fold = shared.catch_up(record)
        newest = max([seq_of(record.attempt, fold.position), *(node.seq for node in fold.nodes.values())])
        changed = [node.model_copy() for node in fold.nodes.values() if node.seq > since]
    return InvocationNodes(nodes=changed, attempt=record.attempt, seq=newest, complete=fold.closed)
