"""Clusters that were made for one run don't outlive their time, whoever should have deleted them."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from contracts.gke.clusters import ClusterSpec
from contracts.gke.names import marks
from contracts.names import dag_id_of, run_label_of
from contracts.operators import OperatorName
from models.google import OperationKind, OperationState
from models.run import Run
from models.run_state import RunState
from models.types import now
from services import google as gke
from services.database import session
from services.google import store
from services.google.sweep import overdue, sweep
from services.settings import settings

if TYPE_CHECKING:
    from services.google.control_plane import ControlPlane
    from tests.google.stand_in import GoogleStandIn

DAG = dag_id_of("shop")
RUN = "console__1"


def cluster_of_run(google: "GoogleStandIn", name: str, *, hours: float) -> None:
    from google.cloud.container_v1 import types

    labels = marks(run_label=run_label_of(DAG, RUN), project="shop", expires_at=now() + timedelta(hours=hours))
    asked = types.Cluster(name=name, autopilot=types.Autopilot(enabled=True), resource_labels=labels)
    google.plane.add_cluster("pilothouse-test", "europe-west1", asked)
    gke.refresh()


def run(state: RunState, *, minutes_ago: float) -> None:
    ended = now() - timedelta(minutes=minutes_ago)
    made = Run(project="shop", dag_id=DAG, dag_run_id=RUN, command="build", operator=OperatorName.GKE, state=state)
    made.finished_at = ended if state.is_terminal else None
    with session() as opened:
        opened.add(made)


def left(google: "GoogleStandIn") -> list[str]:
    return [name.rpartition("/")[2] for name, each in google.plane.clusters.items() if each.status.name != "STOPPING"]


def test_a_cluster_past_its_time_is_deleted_and_no_other(google: "GoogleStandIn", plane: "ControlPlane") -> None:
    google.plane.add_cluster("pilothouse-test", "europe-west1", "stays")
    cluster_of_run(google, "young", hours=1)
    cluster_of_run(google, "old", hours=-1)
    sweep(plane, ["pilothouse-test"])
    assert sorted(left(google)) == ["stays", "young"]
    (operation,) = gke.recent_operations()
    assert (operation.cluster, operation.kind, operation.asked_by) == ("old", OperationKind.DELETE, store.SWEEPER)


def test_a_refused_sweep_is_told_and_tried_again_later(
    google: "GoogleStandIn", plane: "ControlPlane", monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster_of_run(google, "old", hours=-1)
    google.plane.deny("container.clusters.delete")
    sweep(plane, ["pilothouse-test"])
    sweep(plane, ["pilothouse-test"])
    (operation,) = gke.recent_operations()
    assert operation.state is OperationState.FAILED
    assert "container.clusters.delete" in operation.message
    assert [name for name, _ in google.plane.calls].count("DeleteCluster") == 1
    google.plane.allow("container.clusters.delete")
    with session() as opened:
        row = opened.get_one(gke.GoogleOperation, operation.id)
        row.finished_at = now() - timedelta(minutes=2)
        opened.add(row)
    sweep(plane, ["pilothouse-test"])
    assert left(google) == []
    assert len(gke.recent_operations()) == 1


def test_a_cluster_that_went_meanwhile_is_no_failure(google: "GoogleStandIn", plane: "ControlPlane") -> None:
    cluster_of_run(google, "old", hours=-1)
    google.plane.delete_seconds = 0
    plane.delete(gke.clusters()[0].address)
    assert google.plane.clusters == {}
    sweep(plane, ["pilothouse-test"])
    assert gke.recent_operations()[0].state is OperationState.DONE


def test_a_project_that_cannot_be_listed_keeps_no_other_from_being_swept(
    google: "GoogleStandIn", monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.collector.google_side import GoogleSide

    cluster_of_run(google, "old", hours=-1)
    monkeypatch.setenv("PILOTHOUSE_GOOGLE_PROJECTS", "another-project,pilothouse-test")
    settings.cache_clear()
    google.plane.disable_api("another-project")
    GoogleSide().tick()
    assert left(google) == []


def test_an_operation_that_google_does_not_tell_of_keeps_nothing_else_from_being_done(google: "GoogleStandIn") -> None:
    from services.collector.google_side import GoogleSide

    cluster_of_run(google, "old", hours=-1)
    gke.create(ClusterSpec(project_id="pilothouse-test", location="europe-west1", name="new"), by="anna")
    google.plane.deny("container.operations.get")
    GoogleSide().tick()
    assert "old" not in left(google)
    created = next(each for each in gke.recent_operations() if each.cluster == "new")
    assert "container.operations.get" in created.message
    assert created.state is OperationState.RUNNING


@pytest.mark.parametrize(
    ("state", "minutes_ago", "is_overdue"),
    [(RunState.FAILED, 20, True), (RunState.SUCCEEDED, 2, False), (RunState.RUNNING, 0, False)],
)
def test_a_run_that_is_over_leaves_no_cluster_long(
    google: "GoogleStandIn", state: RunState, minutes_ago: float, is_overdue: bool
) -> None:
    run(state, minutes_ago=minutes_ago)
    cluster_of_run(google, "ephemeral", hours=3)
    found = gke.run_of(gke.clusters()[0])
    assert found is not None
    assert found.dag_run_id == RUN
    assert bool(overdue(gke.clusters())) is is_overdue
