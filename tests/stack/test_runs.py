"""Runs through a real Airflow: launched, started elsewhere, scheduled, failed, retried, cancelled; all collected."""

import os
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from contracts.dbt_api import FolderSource
from contracts.published_project import PublishedProject
from contracts.run_conf import DbtCommand
from models.project import Project, ProjectStep, Step, StepState
from models.run import Run, Trigger
from models.run_state import RunState
from services import logs, results
from services.airflow import Airflow
from services.database import session
from services.dbt_api import DbtApi
from services.errors import BackendUnreachable
from services.runs import history, orders
from services.runs.history import RunFilter
from services.runs.launching import LaunchRequest
from services.settings import settings
from stack.places import ROOT
from tests.stack.consoles import OwnConsole, until
from tests.stack.harness import Stack

PROJECT, SCHEDULED = "runs_by_hand", "runs_by_clock"


@pytest.fixture(scope="module", autouse=True)
def projects(console: OwnConsole, airflow_stack: Stack) -> None:
    """Two published projects."""
    _publish(airflow_stack)


def _publish(stack: Stack) -> None:
    api = DbtApi(stack.dbt_api_url, stack.dbt_api_token)
    published = []
    for name in (PROJECT, SCHEDULED):
        api.register_project(name, FolderSource(path=str(ROOT / "example")))
        project = Project(name=name, owner="ann", created_by="ann", source={"kind": "folder"}, targets=["dev", "prod"])
        with session() as opened:
            opened.add(project)
            opened.flush()
            opened.add(ProjectStep(project_id=project.id or 0, step=Step.KNOWN_TO_AIRFLOW, state=StepState.DONE))
        scheduled = name == SCHEDULED
        published.append(
            PublishedProject(
                name=name,
                start_date=datetime.now(UTC) - timedelta(days=1),
                schedule="@hourly" if scheduled else None,
                command=DbtCommand.SEED if scheduled else DbtCommand.BUILD,
            )
        )
    airflow = Airflow.from_settings()
    airflow.publish(published)
    for one in published:
        airflow.wait_until_known(one, timeout_seconds=60)
        airflow.set_paused(one.dag_id, False)


def key() -> str:
    return str(uuid.uuid4())


def collected(run: Run) -> Run:
    return until(lambda: fresh if (fresh := history.get_run(run.id or 0)).collected else None)  # type: ignore[return-value]


def names(run: Run) -> set[str]:
    invocations = history.invocations_of(run.id or 0)
    return {node.name for node in results.node_results(invocations[-1].id or 0)}


def test_the_same_click_twice_is_one_run_with_its_whole_story() -> None:
    request, launch_key = LaunchRequest(command=DbtCommand.SEED), key()
    first, second = (orders.launch(PROJECT, request, launch_key=launch_key, by="ann") for _ in range(2))
    assert first.id == second.id
    run = collected(first)
    assert (run.state, run.message, run.trigger, run.launched_by) == (RunState.SUCCEEDED, None, Trigger.MANUAL, "ann")
    assert run.nodes_total == run.nodes_ok == 4
    assert run.started_at
    assert run.finished_at
    [invocation] = history.invocations_of(run.id or 0)
    assert b'"CommandCompleted"' in logs.path_of(invocation).read_bytes()
    task_log = [str(row.text) for row in logs.open_view(invocation, logs.Query(source="airflow")).rows(0, 1000)]
    assert len([line for line in task_log if "Submitting to the dbt API" in line]) == 1
    assert any("PASS=4" in line for line in task_log)


def test_a_run_that_somebody_started_in_airflow_is_collected() -> None:
    dag_id = f"pilothouse__{PROJECT}"
    Airflow.from_settings().trigger(dag_id, "from_elsewhere", {"command": "compile", "select": ["stg_ships"]}, None)
    [run] = until(lambda: [one for one in history.list_runs(RunFilter()).runs if one.dag_run_id == "from_elsewhere"])
    run = collected(run)
    assert (run.state, run.trigger, run.command) == (RunState.SUCCEEDED, Trigger.AIRFLOW, "compile --select stg_ships")
    assert "stg_ships" in names(run)


def test_a_scheduled_run_is_collected() -> None:
    [run, *_] = until(lambda: history.list_runs(RunFilter(projects=[SCHEDULED])).runs)
    run = collected(run)
    assert (run.state, run.trigger, run.launched_by) == (RunState.SUCCEEDED, Trigger.SCHEDULE, None)


def test_a_failed_run_says_why_and_its_retry_runs_exactly_what_was_left() -> None:
    request = LaunchRequest(vars="break_on_purpose: true")
    failed = collected(orders.launch(PROJECT, request, launch_key=key(), by="ann"))
    assert failed.state is RunState.FAILED
    assert (failed.message or "").startswith("model customs_declarations failed: ")
    [invocation] = history.invocations_of(failed.id or 0)
    nodes = results.node_results(invocation.id or 0)
    left = {node.name for node in nodes if node.status.is_unfinished_business}
    again = collected(orders.retry(failed.id or 0, by="bo", launch_key=key()))
    assert (again.trigger, again.retry_of, again.launched_by) == (Trigger.RETRY, failed.id, "bo")
    assert names(again) == left


def test_cancelling_stops_dbt_gracefully() -> None:
    request = LaunchRequest(vars="slow_seconds: 300", select=["+depth_soundings"])
    run = orders.launch(PROJECT, request, launch_key=key(), by="ann")
    until(lambda: "depth_soundings" in (names(run) if history.invocations_of(run.id or 0) else set()))
    orders.cancel(run.id or 0, by="bo")
    run = collected(run)
    assert (run.state, run.message) == (RunState.CANCELLED, "Cancelled by bo.")
    [invocation] = history.invocations_of(run.id or 0)
    assert invocation.state is RunState.CANCELLED
    statuses = {node.name: node.status.value for node in results.node_results(invocation.id or 0)}
    assert statuses["depth_soundings"] == "interrupted"


def test_with_airflow_away_a_launch_fails_with_the_reason_and_its_key_works_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    launch_key, request = key(), LaunchRequest(command=DbtCommand.SEED)
    real = os.environ["PILOTHOUSE_AIRFLOW_URL"]
    _move_airflow(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(BackendUnreachable):
        orders.launch(PROJECT, request, launch_key=launch_key, by="ann")
    [run] = history.list_runs(RunFilter(projects=[PROJECT], states=[RunState.FAILED]), page_size=1).runs
    assert "Cannot reach Airflow" in (run.message or "")
    _move_airflow(monkeypatch, real)
    again = orders.launch(PROJECT, request, launch_key=launch_key, by="ann")
    assert again.id == run.id
    assert collected(again).state is RunState.SUCCEEDED


def _move_airflow(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PILOTHOUSE_AIRFLOW_URL", url)
    settings.cache_clear()
