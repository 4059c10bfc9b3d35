"""The collector's loop over clusters, where it meets its loop over Airflow."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from contracts.operators import OperatorName
from models.run import Invocation, Run
from models.run_state import RunState
from models.types import now
from services import logs
from services.collector import store
from services.collector.kubernetes_side import KubernetesSide
from services.collector.pod_log import PodLog
from services.results import node_results

ROOT = Path(__file__).parents[4]
FAILED = {
    "unique_id": "model.shop.orders", "status": "error", "execution_time": 0.1, "message": "no such column",
    "compiled_code": "select stamp", "failures": None, "adapter_response": {},
}  # fmt: skip


def entrypoint() -> ModuleType:
    """What prints a pod's artifacts."""
    spec = importlib.util.spec_from_file_location("entrypoint", ROOT / "deploy" / "images" / "dbt" / "entrypoint.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def node_event() -> str:
    node = {"unique_id": "model.shop.orders", "node_name": "orders", "resource_type": "model", "node_status": "error"}
    info = {"name": "NodeFinished", "level": "debug", "msg": "", "ts": "2026-01-01T00:00:01Z", "thread": "Thread-1"}
    return json.dumps({"info": info, "data": {"node_info": node, "run_result": {"status": "error"}}})


def artifact_lines(folder: Path) -> list[str]:
    path = folder / "run_results.json"
    path.write_text(json.dumps({"results": [FAILED]}))
    return list(entrypoint().lines_of(path, 1_000_000))


def told_by_airflow(invocation: Invocation, lines: list[str], *, is_all: bool) -> None:
    """What the loop over Airflow does with an answer: first the file, then the row."""
    path = logs.path_of(invocation, "airflow")
    text = "".join(f"2026-01-01T00:00:02Z INFO [base] {line}\n" for line in lines)
    logs.append(path, logs.size_of(path), text.encode())
    with store.writing() as opened:
        row = opened.get_one(Invocation, invocation.id)
        row.task_log_bytes, row.task_log_complete = logs.size_of(path), is_all


def test_the_end_of_airflows_log_is_not_missed_when_it_comes_while_the_beginning_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The artifacts come last: without them a failed node has no compiled SQL."""
    with store.writing() as opened:
        run = Run(project="shop", dag_id="d", dag_run_id="r", operator=OperatorName.KUBERNETES, command="build")
        run.state, run.handed_over_at, run.finished_at = RunState.FAILED, now(), now()
        opened.add(run)
        opened.flush()
        invocation = store.invocation_of_try(opened, run, 1)
    told_by_airflow(invocation, [node_event()], is_all=False)
    read = PodLog.keep_from_task_log
    end = artifact_lines(tmp_path)

    def read_while_the_end_comes(log: PodLog) -> int:
        kept = read(log)
        if end:
            told_by_airflow(invocation, [*end], is_all=True)
            end.clear()
        return kept

    monkeypatch.setattr(PodLog, "keep_from_task_log", read_while_the_end_comes)
    side = KubernetesSide()
    while not invocation.log_complete:
        side.tick()
        with store.writing() as opened:
            invocation = store.invocation_of_try(opened, run, 1)
    [node] = node_results(invocation.id or 0)
    assert node.compiled_sql == "select stamp"
    assert [one["name"] for one in invocation.artifacts] == ["run_results.json"]
