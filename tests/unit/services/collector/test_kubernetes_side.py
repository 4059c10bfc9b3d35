"""The collector's loop over clusters, where it meets its loop over Airflow."""

import importlib.util
import json
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest

from contracts.operators import OperatorName
from models.run import Invocation, Run
from models.run_state import RunState
from models.types import now
from services import logs
from services.airflow import DagRunNews
from services.collector import store
from services.collector.airflow_side import _take_over
from services.collector.closing import conclude
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


def followed(*lines: str, state: RunState) -> tuple[Run, Invocation]:
    """A run of whose dbt only Airflow's copy told, and which is followed to the end of that."""
    with store.writing() as opened:
        run = Run(project="shop", dag_id="d", dag_run_id="r", operator=OperatorName.KUBERNETES, command="build")
        run.state, run.handed_over_at = state, now()
        opened.add(run)
        opened.flush()
        invocation = store.invocation_of_try(opened, run, 1)
    told_by_airflow(invocation, [*lines], is_all=True)
    side = KubernetesSide()
    while not invocation.log_complete:
        side.tick()
        with store.writing() as opened:
            invocation = store.invocation_of_try(opened, run, 1)
    return run, invocation


def ended(word: str) -> DagRunNews:
    return DagRunNews("d", "r", word, "manual", {}, None, None, None, now(), None)


@pytest.mark.parametrize("before", [RunState.RUNNING, RunState.SUCCEEDED])
def test_a_run_that_went_well_says_that_the_end_of_its_log_was_not_to_be_had(before: RunState) -> None:
    run, invocation = followed(node_event(), state=before)
    assert invocation.log_end_missing
    with store.writing() as opened:
        _take_over(opened, opened.get_one(Run, run.id), ended("success"))
        conclude(opened, opened.get_one(Run, run.id))
        invocation = store.invocation_of_try(opened, run, 1)
    assert (invocation.state, invocation.outcome, invocation.message) == (RunState.SUCCEEDED, "success", None)


def test_a_log_with_dbts_last_word_has_its_end_whoever_told_it() -> None:
    info = {"name": "CommandCompleted", "level": "debug", "msg": "", "ts": "2026-01-01T00:00:02Z"}
    last = json.dumps({"info": info, "data": {"success": True}})
    _, invocation = followed(node_event(), last, state=RunState.SUCCEEDED)
    assert (invocation.state, invocation.log_end_missing) == (RunState.SUCCEEDED, False)


def test_a_log_with_an_artifact_has_its_end_though_dbt_was_told_to_say_little(tmp_path: Path) -> None:
    _, invocation = followed(*artifact_lines(tmp_path), state=RunState.SUCCEEDED)
    assert not invocation.log_end_missing


def test_a_run_that_went_well_and_of_whose_dbt_nothing_was_told_has_no_log() -> None:
    with store.writing() as opened:
        run = Run(project="shop", dag_id="d", dag_run_id="r", operator=OperatorName.KUBERNETES, command="build")
        run.state, run.handed_over_at, run.finished_at = RunState.SUCCEEDED, now(), now() - timedelta(minutes=1)
        opened.add(run)
        opened.flush()
        store.invocation_of_try(opened, run, 1).task_log_complete = True
    KubernetesSide().tick()
    with store.writing() as opened:
        invocation = store.invocation_of_try(opened, run, 1)
    assert (invocation.state, invocation.log_bytes, invocation.log_end_missing) == (RunState.SUCCEEDED, 0, True)


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
