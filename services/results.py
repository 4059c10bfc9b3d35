"""From dbt's events to node results: a pure fold, and what dbt's artifacts add to it at the end.

Source of the events: `dbt --log-format json --log-level debug` (dbt-core 1.5 to 1.12). Status comes from
`data.node_info.node_status` alone: `data.status` is the adapter's text. Feeding an event twice changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from contracts.dbt_values import count, moment
from contracts.log_event import LogEvent
from models.run import NodeResult
from models.run_state import NodeStatus
from services.database import session

_KNOWN_STATUSES = {status.value for status in NodeStatus}
_RAN_DATA_TESTS = ("test", "unit_test")
_BYTES = ("bytes_processed", "data_scanned_in_bytes")
"""As BigQuery and Athena call it."""
_QUERY_IDS = ("query_id", "job_id", "statement_id")
"""As Snowflake and Databricks, BigQuery, and Redshift's Data API call it."""


@dataclass
class Fold:
    """What the events so far say: node results by unique_id, and facts about the whole invocation."""

    nodes: dict[str, NodeResult] = field(default_factory=dict)
    node_total: int | None = None
    threads: int | None = None
    dbt_version: str | None = None
    success: bool | None = None
    began_at: datetime | None = None
    parsed_at: datetime | None = None
    ended_at: datetime | None = None
    error: str | None = None
    """The first error that is about no node: a parse error, a crash, wrong options."""

    def add(self, event: LogEvent) -> None:
        """Take in one event."""
        if reader := _INVOCATION_EVENTS.get(event.name):
            reader(self, event)
        elif not event.name and event.message.startswith("Error: "):
            self.error = self.error or event.message
        if event.name == "RunResultError":
            _note_message(self, event)
        elif event.node_info.get("node_status") in _KNOWN_STATUSES:
            _note_status(self, event)


def fold(events: Iterable[LogEvent], into: Fold | None = None) -> Fold:
    """Add events, in their order, to what is known so far."""
    result = into or Fold()
    for event in events:
        result.add(event)
    return result


def _at(event: LogEvent) -> datetime | None:
    return moment(event.timestamp) if event.timestamp else None


def _note_beginning(result: Fold, event: LogEvent) -> None:
    result.began_at = result.began_at or _at(event)
    result.dbt_version = str(event.data.get("version") or "").removeprefix("=") or result.dbt_version


def _note_parsed(result: Fold, event: LogEvent) -> None:
    result.parsed_at = result.parsed_at or _at(event)


def _note_totals(result: Fold, event: LogEvent) -> None:
    _note_parsed(result, event)
    _note_total(result, event.data.get("node_count"))
    result.threads = event.data.get("num_threads", result.threads)


def _note_position(result: Fold, event: LogEvent) -> None:
    """`3 of 35`: unit tests are counted here, but not yet in the total that dbt tells first."""
    _note_total(result, event.data.get("total"))


def _note_nothing_to_do(result: Fold, _event: LogEvent) -> None:
    _note_total(result, 0)


def _note_total(result: Fold, total: int | None) -> None:
    if total is not None:
        result.node_total = max(result.node_total or 0, total)


def _note_completion(result: Fold, event: LogEvent) -> None:
    result.success, result.ended_at = bool(event.data.get("success")), _at(event)


def _note_error(result: Fold, event: LogEvent) -> None:
    text = str(event.data.get("exc") or "").strip() or event.message
    result.error = result.error or text or None


def _note_cancelled_query(result: Fold, event: LogEvent) -> None:
    """dbt cancels the queries that run when it is interrupted; it then reports their nodes as errors."""
    node = result.nodes.get(str(event.data.get("conn_name")))
    if node and node.status is NodeStatus.STARTED:
        node.status = NodeStatus.INTERRUPTED


_INVOCATION_EVENTS = {
    "MainReportVersion": _note_beginning,
    "FoundStats": _note_parsed,
    "ConcurrencyLine": _note_totals,
    "LogStartLine": _note_position,
    "SkippingDetails": _note_position,
    "NothingToDo": _note_nothing_to_do,
    "CommandCompleted": _note_completion,
    "MainEncounteredError": _note_error,
    "LogCancelLine": _note_cancelled_query,
}


def _note_status(result: Fold, event: LogEvent) -> None:
    info, status = event.node_info, NodeStatus(event.node_info["node_status"])
    node = _node_of(result, info)
    node.started_at = node.started_at or moment(info.get("node_started_at"))
    if status is NodeStatus.STARTED:
        node.thread = node.thread or event.thread or None
        return
    if node.status is not NodeStatus.INTERRUPTED:
        node.status = status
    node.finished_at = moment(info.get("node_finished_at")) or node.finished_at
    if event.name == "NodeFinished":
        _note_run_result(node, event.data.get("run_result") or {})


def _node_of(result: Fold, info: Mapping[str, Any]) -> NodeResult:
    unique_id = str(info["unique_id"])
    if unique_id not in result.nodes:
        result.nodes[unique_id] = NodeResult(
            invocation_id=0,
            unique_id=unique_id,
            name=str(info.get("node_name") or unique_id.split(".")[-1]),
            resource_type=str(info.get("resource_type") or unique_id.split(".")[0]),
            status=NodeStatus.STARTED,
            path=info.get("node_path") or None,
            materialized=info.get("materialized") or None,
            relation=(info.get("node_relation") or {}).get("relation_name") or None,
        )
    return result.nodes[unique_id]


def _note_run_result(node: NodeResult, run_result: Mapping[str, Any]) -> None:
    node.seconds = run_result.get("execution_time", node.seconds)
    node.thread = run_result.get("thread") or node.thread
    node.message = run_result.get("message") or node.message
    _note_adapter_response(node, run_result.get("adapter_response") or {})
    if node.resource_type in _RAN_DATA_TESTS and node.status is not NodeStatus.SKIPPED:
        node.failures = run_result.get("num_failures", node.failures)


def _note_message(result: Fold, event: LogEvent) -> None:
    node = result.nodes.get(event.unique_id or "")
    if node and not node.message:
        node.message = str(event.data.get("msg") or event.message)


def close(result: Fold, *, run_results: Mapping[str, Any] | None = None) -> None:
    """The invocation is over: what still runs was interrupted, and run_results.json completes the rest.

    A node that dbt reports as an error but leaves out of run_results.json is one that an interrupt cut short.
    """
    finished = {row.get("unique_id"): row for row in (run_results or {}).get("results") or []}
    for unique_id, node in result.nodes.items():
        if node.status is NodeStatus.STARTED or (finished and unique_id not in finished and node.status.is_bad):
            node.status = NodeStatus.INTERRUPTED
        elif row := finished.get(unique_id):
            _complete(node, row)


def _complete(node: NodeResult, row: Mapping[str, Any]) -> None:
    node.seconds = row.get("execution_time", node.seconds)
    node.message = row.get("message") or node.message
    node.relation = node.relation or row.get("relation_name")
    if row.get("failures") is not None:
        node.failures = row["failures"]
    if node.status.is_bad or node.status is NodeStatus.WARN:
        node.compiled_sql = row.get("compiled_code") or node.compiled_sql
    _note_adapter_response(node, row.get("adapter_response") or {})


def _note_adapter_response(node: NodeResult, told: Mapping[str, Any]) -> None:
    """What the adapter measured; every adapter has its own words, most have few."""
    if told.get("rows_affected") is not None:
        node.rows = count(told["rows_affected"])
    size = next((told[name] for name in _BYTES if told.get(name) is not None), None)
    node.bytes_processed = count(size) if size is not None else node.bytes_processed
    query = next((str(told[name]) for name in _QUERY_IDS if told.get(name)), None)
    node.query_id = query or node.query_id


def name_causes(nodes: Mapping[str, NodeResult], depends_on: Mapping[str, Iterable[str]]) -> None:
    """Say for each skipped node which failed node it was skipped for.

    `depends_on` is the project's graph, from the manifest. A failed test skips what lies behind the node it tests,
    as `dbt build` does.
    """
    failed_tests = _failed_tests_by_tested_node(nodes, depends_on)
    for unique_id, node in nodes.items():
        if node.status is NodeStatus.SKIPPED and not node.skipped_because:
            node.skipped_because = _first_failure_above(unique_id, nodes, depends_on, failed_tests)


def _failed_tests_by_tested_node(
    nodes: Mapping[str, NodeResult], depends_on: Mapping[str, Iterable[str]]
) -> dict[str, str]:
    return {
        parent: unique_id
        for unique_id, node in nodes.items()
        if node.resource_type in _RAN_DATA_TESTS and node.status.is_bad
        for parent in depends_on.get(unique_id, ())
    }


def _first_failure_above(
    unique_id: str,
    nodes: Mapping[str, NodeResult],
    depends_on: Mapping[str, Iterable[str]],
    failed_tests: Mapping[str, str],
) -> str | None:
    seen, ring = {unique_id}, list(depends_on.get(unique_id, ()))
    while ring:
        for parent in ring:
            if parent in nodes and (nodes[parent].status.is_bad or nodes[parent].status is NodeStatus.INTERRUPTED):
                return parent
            if parent in failed_tests:
                return failed_tests[parent]
        seen.update(ring)
        ring = [above for parent in ring for above in depends_on.get(parent, ()) if above not in seen]
    return None


def node_results(invocation_id: int) -> list[NodeResult]:
    """The node results of one invocation, in the order in which the nodes were first heard of."""
    with session() as opened:
        return list(
            opened.exec(
                select(NodeResult).where(NodeResult.invocation_id == invocation_id).order_by(col(NodeResult.id))
            )
        )
