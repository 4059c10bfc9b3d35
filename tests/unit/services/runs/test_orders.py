"""Launching, listing and finding runs, as far as they need no Airflow: against a port where nobody listens."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.operators import OperatorName
from models.project import Project, ProjectStep, Step, StepState
from models.run import Run, Trigger
from models.run_state import RunState
from models.types import now
from services.airflow import tokens
from services.database import engine, migrate, session
from services.errors import BackendUnreachable, InvalidInput, NotAllowed, NotFound
from services.runs import history, orders
from services.runs.history import RunFilter
from services.runs.launching import LaunchRequest
from services.settings import settings


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "DATA": str(tmp_path),
        "USER": "ann",
        "AIRFLOW_URL": "http://127.0.0.1:9",
        "AIRFLOW_PASSWORD": "unused",
        "DBT_API_URL": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(f"PILOTHOUSE_{name}", value)
    settings.cache_clear()
    engine.cache_clear()
    migrate()
    yield
    engine().dispose()
    settings.cache_clear()
    engine.cache_clear()


def project(name: str = "harbour", *, known: bool = True, **values: Any) -> None:
    with session() as opened:
        made = Project(
            name=name, owner="ann", created_by="ann", source={"kind": "folder"}, targets=["dev", "prod"], **values
        )
        opened.add(made)
        opened.flush()
        if known:
            opened.add(ProjectStep(project_id=made.id or 0, step=Step.KNOWN_TO_AIRFLOW, state=StepState.DONE))


def stored(number: int, **values: Any) -> Run:
    run = Run(
        **{
            "project": "harbour",
            "dag_id": "pilothouse__harbour",
            "dag_run_id": f"run{number}",
            "operator": OperatorName.DBT_API,
            "command": "build",
            "created_at": now() - timedelta(hours=number),
            "launched_by": "ann",
            **values,
        }
    )
    with session() as opened:
        opened.add(run)
    return run


def launch(launch_key: str = "key", **values: Any) -> Run:
    return orders.launch("harbour", LaunchRequest(**values), launch_key=launch_key, by="ann")


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"select": ["stg_orders; rm"]}, "select", "not a dbt selector"),
        ({"exclude": ["--full-refresh"]}, "exclude", "not a dbt selector"),
        ({"vars": "a: [1"}, "vars", "not YAML"),
        ({"vars": "just text"}, "vars", "names and values"),
        ({"vars": "db_password: x"}, "vars", "looks like a secret"),
        ({"target": "staging"}, "target", "dev, prod"),
        ({"threads": 65}, "threads", "At most 64"),
        ({"command": "run-operation"}, "macro", "name of a macro"),
        ({"command": "test", "full_refresh": True}, "full_refresh", "no full refresh"),
        ({"command": "debug", "select": ["a"]}, "select", "no selection"),
        ({"operator_parameters": {"priority": 0}}, "operator_parameters.priority", "At least 1"),
        ({"operator_parameters": {"memory": "4G"}}, "operator_parameters.memory", "not known here"),
    ],
)
def test_a_wrong_value_is_told_beside_its_field_and_nothing_is_stored(
    values: dict[str, Any], field: str, words: str
) -> None:
    project()
    with pytest.raises(InvalidInput, match=words) as refused:
        launch(**values)
    assert refused.value.field == field
    assert history.list_runs().total == 0


@pytest.mark.parametrize(
    ("values", "words"),
    [({"paused": True}, "is paused"), ({"known": False}, "does not know")],
)
def test_a_project_that_cannot_run_says_why(values: dict[str, Any], words: str) -> None:
    project(**values)
    with pytest.raises(NotAllowed, match=words):
        launch()
    assert history.list_runs().total == 0


def test_a_run_may_ask_google_for_other_machines_but_not_for_the_other_mode() -> None:
    where = {"project_id": "harbour-prod", "location": "europe-west1", "cluster_mode": "ephemeral"}
    standard = {"mode": "standard", "machine_type": "e2-standard-2"}
    project(operator=OperatorName.GKE, operator_parameters={**where, "new_cluster": standard})
    with pytest.raises(InvalidInput, match="Autopilot or Standard") as refused:
        launch(operator_parameters={"new_cluster": {}})
    assert refused.value.field == "operator_parameters.new_cluster"
    with pytest.raises(BackendUnreachable):
        launch(operator_parameters={"new_cluster": {**standard, "machine_type": "n2-highmem-8"}})
    [run] = history.list_runs().runs
    assert run.conf["operator_parameters"]["new_cluster"]["machine_type"] == "n2-highmem-8"


def test_what_was_chosen_becomes_the_exact_conf() -> None:
    project(threads=2, target="prod", operator_parameters={"priority": 5})
    with pytest.raises(BackendUnreachable):
        launch(select=["a b"], vars="day: 2026-01-01", operator_parameters={"timeout_seconds": 60})
    [run] = history.list_runs().runs
    assert run.conf["select"] == ["a", "b"]
    assert run.conf["vars"] == {"day": "2026-01-01"}
    assert run.conf["operator_parameters"] == {"priority": 5, "timeout_seconds": 60}
    assert run.command == """build --select a b --vars '{"day": "2026-01-01"}' --target prod --threads 2"""
    assert (run.conf["requested_by"], run.target) == ("ann", "prod")


def test_a_launch_that_never_reached_airflow_is_a_failed_run_whose_key_can_be_tried_again() -> None:
    project()
    for _ in range(2):
        with pytest.raises(BackendUnreachable):
            launch("same")
    [run] = history.list_runs().runs
    assert (run.state, run.handed_over_at, run.collected) == (RunState.FAILED, None, False)
    assert "Cannot reach Airflow" in (run.message or "")


def test_the_history_is_filtered_paged_and_counted() -> None:
    for number in range(1, 8):
        stored(
            number,
            state=RunState.FAILED if number % 2 else RunState.SUCCEEDED,
            launched_by="bo" if number > 5 else "ann",
            project="quay" if number == 7 else "harbour",
        )
    page = history.list_runs(RunFilter(states=[RunState.FAILED]), page=2, page_size=2)
    assert ([run.dag_run_id for run in page.runs], page.total) == (["run5", "run7"], 4)
    assert history.list_runs(RunFilter(people=["bo"], projects=["harbour"])).total == 1
    recent = RunFilter(since=now() - timedelta(hours=3, minutes=1), until=now() - timedelta(minutes=61))
    assert [run.dag_run_id for run in history.list_runs(recent).runs] == ["run2", "run3"]
    assert history.list_runs(RunFilter(operators=[OperatorName.GKE])).total == 0
    assert (history.known_people(), history.known_projects()) == (["ann", "bo"], ["harbour", "quay"])


def test_the_usual_duration_is_the_median_of_like_runs() -> None:
    begun = now()
    for number, seconds in enumerate([10, 20, 90], start=1):
        ended = begun + timedelta(seconds=seconds)
        stored(number, state=RunState.SUCCEEDED, started_at=begun, finished_at=ended)
    stored(4, state=RunState.SUCCEEDED, started_at=begun, finished_at=begun, command="seed")
    assert history.usual_seconds(stored(5)) == 20
    assert history.usual_seconds(stored(6, command="test")) is None


def test_only_a_run_that_is_over_is_retried_and_a_retry_needs_its_project() -> None:
    project()
    with pytest.raises(NotAllowed, match="not over"):
        orders.retry(stored(1).id or 0, by="bo", launch_key="again")
    with pytest.raises(NotFound, match="no project"):
        orders.retry(stored(2, state=RunState.FAILED, project="gone").id or 0, by="bo", launch_key="again")
    failed = stored(3, state=RunState.FAILED, conf={"command": "seed"})
    with pytest.raises(BackendUnreachable):
        orders.retry(failed.id or 0, by="bo", launch_key="again")
    [new] = history.list_runs(RunFilter(people=["bo"])).runs
    assert (new.trigger, new.retry_of, new.command) == (Trigger.RETRY, failed.id, "seed")


def test_cancelling_says_so_when_nobody_could_be_told_but_remembers_the_order() -> None:
    run = stored(1, state=RunState.RUNNING)
    with pytest.raises(BackendUnreachable):
        orders.cancel(run.id or 0, by="bo")
    fresh = history.get_run(run.id or 0)
    assert (fresh.cancel_requested_by, fresh.state) == ("bo", RunState.RUNNING)


def test_cancelling_goes_on_when_airflow_gives_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have taken the order; the collector gives it again until the run is over."""
    monkeypatch.setattr(tokens, "_TIMEOUT", (0.3, 0.3))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PILOTHOUSE_AIRFLOW_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        settings.cache_clear()
        run = stored(1, operator=OperatorName.GKE, state=RunState.RUNNING, handed_over_at=now())
        cancelled = orders.cancel(run.id or 0, by="bo")
    assert (cancelled.cancel_requested_by, cancelled.state) == ("bo", RunState.RUNNING)


def test_cancelling_what_is_over_changes_nothing() -> None:
    run = orders.cancel(stored(1, state=RunState.SUCCEEDED).id or 0, by="bo")
    assert (run.state, run.cancel_requested_by) == (RunState.SUCCEEDED, None)


def test_an_unknown_run_is_not_found() -> None:
    with pytest.raises(NotFound):
        history.get_run(404)
