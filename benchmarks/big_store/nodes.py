"""Made-up invocations and node results: those of any run, by its counts."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random
from typing import Any

from benchmarks.big_store.habits import node_name
from contracts.names import DBT_TASK_ID, invocation_task_id
from models.run import Invocation, NodeResult
from models.run_state import NodeStatus, RunState

ERROR = (
    "Database Error in model {name} (models/{name}.sql)\n"
    '  Binder Error: Referenced column "berth_no" not found in FROM clause!\n'
    '  Candidate bindings: "berth_id", "berth_name"\n\n'
    "  LINE 4:     calls.berth_no,"
)
SQL = "select\n    calls.call_id,\n    calls.arrived_at,\n    calls.berth_no\nfrom stg_calls as calls"
_BLANK_INVOCATION = Invocation(run_id=0, try_number=1, task_id="").model_dump()
_BLANK_RESULT = NodeResult(
    invocation_id=0, unique_id="", name="", resource_type="", status=NodeStatus.SUCCESS
).model_dump(exclude={"id"})


def invocation(run: dict[str, Any]) -> dict[str, Any]:
    """The one invocation of a run; it has the run's number."""
    over = run["finished_at"] is not None
    return {
        **_BLANK_INVOCATION,
        "id": run["id"],
        "run_id": run["id"],
        "task_id": invocation_task_id(run["dag_id"], run["dag_run_id"], DBT_TASK_ID, 1),
        "state": run["state"],
        "outcome": {RunState.SUCCEEDED: "success", RunState.FAILED: "model_error"}.get(run["state"]),
        "exit_code": int(run["state"] is RunState.FAILED) if over else None,
        "dbt_version": "1.12.6" if run["started_at"] else None,
        "threads": 4,
        "created_at": run["created_at"],
        "started_at": run["started_at"],
        "finished_at": run["finished_at"],
        "log_complete": over,
        "task_log_complete": over,
    }


def results(run: dict[str, Any], random: Random, *, threads: int = 4) -> Iterator[dict[str, Any]]:
    """A result for each node of a finished run, on so many threads, each node after those with a lower number."""
    statuses = [
        *([NodeStatus.SUCCESS] * run["nodes_ok"]),
        *([NodeStatus.WARN] * run["nodes_warn"]),
        *([NodeStatus.ERROR] * run["nodes_error"]),
    ]
    random.shuffle(statuses)
    statuses += [NodeStatus.SKIPPED] * run["nodes_skipped"]
    began: datetime = run["started_at"] + timedelta(seconds=2)
    usual = max(0.05, (run["finished_at"] - began).total_seconds() * threads / max(1, len(statuses)))
    free = [(began, number + 1) for number in range(threads)]
    failed = next((number for number, status in enumerate(statuses) if status is NodeStatus.ERROR), 0)
    for number, status in enumerate(statuses):
        moment, thread = heappop(free)
        seconds = 0.0 if status is NodeStatus.SKIPPED else usual * _weight(number) * random.uniform(0.7, 1.3)
        ended = moment + timedelta(seconds=seconds)
        heappush(free, (ended, thread))
        kind = _kind(number)
        yield {
            **_BLANK_RESULT,
            **_named(run["project"], number, kind, status),
            "invocation_id": run["id"],
            "started_at": moment,
            "finished_at": ended,
            "seconds": round(seconds, 3) if seconds else None,
            "rows": random.randrange(1, 2_000_000) if kind == "model" and seconds else None,
            "thread": f"Thread-{thread}",
            "skipped_because": unique_id(run["project"], failed) if status is NodeStatus.SKIPPED else None,
        }


def _named(project: str, number: int, kind: str, status: NodeStatus) -> dict[str, Any]:
    name = node_label(number)
    is_test = kind == "test"
    if is_test:
        status = {NodeStatus.SUCCESS: NodeStatus.PASS, NodeStatus.ERROR: NodeStatus.FAIL}.get(status, status)
    return {
        "unique_id": unique_id(project, number),
        "name": name,
        "resource_type": kind,
        "status": status,
        "failures": 41 if status is NodeStatus.FAIL else 0 if is_test else None,
        "message": _said(status, name),
        "relation": None if is_test else f'"{project}"."main"."{name}"',
        "path": f"models/{name}.sql",
        "materialized": "test" if is_test else "table",
        "compiled_sql": SQL if status.is_bad else None,
    }


def _said(status: NodeStatus, name: str) -> str | None:
    if status is NodeStatus.FAIL:
        return "Got 41 results, configured to fail if != 0"
    return ERROR.format(name=name) if status.is_bad else None if status is NodeStatus.SKIPPED else "OK"


def _weight(number: int) -> float:
    """Few nodes take most of the time."""
    return 6.0 if number % 11 == 3 else 0.2 if _kind(number) == "test" else 0.8


def _kind(number: int) -> str:
    return "test" if number % 3 == 2 else "model"


def node_label(number: int) -> str:
    """Name of a node by its number; every third is a test of the node before it."""
    return f"not_null_{node_name(number - 1)}_id" if _kind(number) == "test" else node_name(number)


def unique_id(project: str, number: int) -> str:
    """dbt's id of a node by its number."""
    return f"{_kind(number)}.{project}.{node_label(number)}"


def depends_on(project: str, number: int) -> list[str]:
    """The nodes that a node reads: the one it tests, or one or two a bit lower."""
    if _kind(number) == "test":
        return [unique_id(project, number - 1)]
    above = {number // 2, number * 2 // 3}
    return [unique_id(project, parent) for parent in sorted(above) if parent < number and _kind(parent) == "model"]
