"""A run whose cluster was swept away while Airflow is away ends, and says why."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from contracts.gke.names import cluster_of, marks
from contracts.names import dag_id_of, run_label_of
from contracts.operators import OperatorName
from models.google import OperationState
from models.run import Run
from models.run_state import RunState
from models.types import now
from services import google as gke
from services import health
from services.airflow import DagRunNews
from services.collector import store
from services.collector.airflow_side import _take_over
from services.collector.google_side import GoogleSide
from services.collector.kubernetes_side import KubernetesSide
from services.database import session
from services.runs import history
from services.settings import settings

if TYPE_CHECKING:
    from tests.google.stand_in import GoogleStandIn

WHERE = {"project_id": "pilothouse-test", "location": "europe-west1", "cluster_mode": "ephemeral"}


def run_on_a_cluster_past_its_time(google: "GoogleStandIn") -> int:
    from google.cloud.container_v1 import types

    dag_id, dag_run_id = dag_id_of("shop"), "console__1"
    address = cluster_of(WHERE, project="shop", dag_id=dag_id, dag_run_id=dag_run_id)
    assert address
    label = run_label_of(dag_id, dag_run_id)
    labels = marks(run_label=label, project="shop", expires_at=now() - timedelta(seconds=1))
    made = types.Cluster(name=address.name, autopilot=types.Autopilot(enabled=True), resource_labels=labels)
    google.plane.add_cluster(address.project_id, address.location, made)
    values: dict[str, Any] = {"operator": OperatorName.GKE, "conf": {"operator_parameters": WHERE}, "command": "build"}
    with session() as opened:
        run = Run(project="shop", dag_id=dag_id, dag_run_id=dag_run_id, state=RunState.RUNNING, **values)
        run.handed_over_at = run.started_at = now()
        opened.add(run)
        opened.flush()
        invocation = store.invocation_of_try(opened, run, 1)
        invocation.state, invocation.started_at = RunState.RUNNING, now()
        return run.id or 0


def collect(google: "GoogleStandIn", monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rounds of the collector."""
    monkeypatch.setenv("PILOTHOUSE_GOOGLE_INTERVAL_SECONDS", "0.001")
    settings.cache_clear()
    google.plane.delete_seconds = 0
    side = GoogleSide()
    while not any(each.state is OperationState.DONE for each in gke.recent_operations()):
        side.tick()
    side.tick()
    KubernetesSide().tick()


@pytest.mark.parametrize(("reachable", "scheduler_is_healthy"), [(False, None), (True, False)])
def test_a_run_without_airflow_and_cluster_has_failed_and_says_why(
    google: "GoogleStandIn", monkeypatch: pytest.MonkeyPatch, reachable: bool, scheduler_is_healthy: bool | None
) -> None:
    run_id = run_on_a_cluster_past_its_time(google)
    health.report(health.AIRFLOW, reachable=reachable, scheduler_is_healthy=scheduler_is_healthy)
    collect(google, monkeypatch)
    assert not google.plane.clusters
    run = history.get_run(run_id)
    assert run.state is RunState.FAILED
    assert run.finished_at
    assert "was deleted because its time to live was over; dbt ended with it." in (run.message or "")
    [invocation] = history.invocations_of(run_id)
    assert (invocation.state, invocation.log_complete) == (RunState.FAILED, True)
    assert not run.collected, "Airflow is heard when it comes back"
    still_running = DagRunNews(run.dag_id, run.dag_run_id, "running", "manual", {}, None, None, None, None, None)
    with session() as opened:
        _take_over(opened, opened.get_one(Run, run_id), still_running)
    assert history.get_run(run_id).state is RunState.FAILED, "what a dead scheduler's run is called is no news"
    health.report(health.AIRFLOW, reachable=True, scheduler_is_healthy=True)
    with session() as opened:
        _take_over(opened, opened.get_one(Run, run_id), still_running)
    assert history.get_run(run_id).state is RunState.RUNNING


def test_with_airflow_there_it_says_how_the_run_ended(google: "GoogleStandIn", monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = run_on_a_cluster_past_its_time(google)
    health.report(health.AIRFLOW, reachable=True, scheduler_is_healthy=True)
    collect(google, monkeypatch)
    assert history.get_run(run_id).state is RunState.RUNNING
    [invocation] = history.invocations_of(run_id)
    assert "its time to live was over" in (invocation.message or "")
    assert not invocation.log_complete
