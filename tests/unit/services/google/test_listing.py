"""What is known of the clusters in Google, with its age, and what each thing that can be wrong says."""

from typing import TYPE_CHECKING

import pytest

from contracts.gke.names import ClusterAddress
from contracts.operators import OperatorName
from models.google import GoogleCluster
from models.run import Run
from services import google as gke
from services.database import session
from services.errors import NotAllowed
from services.google import store
from services.google.control_plane import Listing
from services.google.projects import watched_projects
from services.settings import settings

if TYPE_CHECKING:
    from services.google.control_plane import ControlPlane
    from tests.google.stand_in import GoogleStandIn

PROJECT = "pilothouse-test"


def state() -> tuple[bool, str]:
    ((_, row),) = gke.project_states()
    return row.reachable, row.message


def test_clusters_of_all_locations_are_listed_with_their_facts(google: "GoogleStandIn") -> None:
    from google.cloud.container_v1 import types

    pool = types.NodePool(
        name="spot",
        initial_node_count=2,
        config=types.NodeConfig(machine_type="e2-standard-8", disk_size_gb=80, disk_type="pd-ssd", spot=True),
        autoscaling=types.NodePoolAutoscaling(enabled=True, min_node_count=1, max_node_count=4),
    )
    asked = types.Cluster(name="big", node_pools=[pool], resource_labels={"team": "data"})
    google.plane.add_cluster(PROJECT, "europe-west1-b", asked)
    google.plane.add_cluster(PROJECT, "us-central1", "small")
    gke.refresh()
    assert state() == (True, "")
    big, small = gke.clusters()
    assert (big.location, small.location) == ("europe-west1-b", "us-central1")
    assert big.node_pools == [
        {"name": "spot", "status": "RUNNING", "machine_type": "e2-standard-8", "disk": "80 GB pd-ssd", "spot": True,
         "initial": 2, "autoscaling": [1, 4]}
    ]  # fmt: skip
    assert big.labels == {"team": "data"}
    assert big.access["public"] == "127.0.0.1:9"
    assert big.created_at is not None


def test_a_cluster_that_is_gone_leaves_the_list(google: "GoogleStandIn", plane: "ControlPlane") -> None:
    google.plane.add_cluster(PROJECT, "europe-west1", "dbt")
    gke.refresh()
    google.plane.delete_seconds = 0
    plane.delete(ClusterAddress(PROJECT, "europe-west1", "dbt"))
    gke.refresh()
    assert gke.clusters() == []


def test_a_zone_that_google_could_not_ask_loses_no_cluster() -> None:
    for location in ("europe-west1", "europe-west1-b", "us-central1"):
        store.keep_listing(PROJECT, Listing([*gke.clusters(), cluster_in(location)], frozenset()))
    store.keep_listing(PROJECT, Listing([], frozenset({"europe-west1-b"})))
    assert [each.location for each in gke.clusters()] == ["europe-west1", "europe-west1-b"]


def cluster_in(location: str) -> GoogleCluster:
    return GoogleCluster(project_id=PROJECT, location=location, name="dbt", status="RUNNING")


def test_no_api_no_right_and_no_answer_are_told_apart_and_lose_nothing(google: "GoogleStandIn") -> None:
    google.plane.add_cluster(PROJECT, "europe-west1", "dbt")
    gke.refresh()
    google.plane.deny("container.clusters.list")
    gke.refresh()
    assert "roles/container.viewer" in state()[1]
    google.plane.disable_api(PROJECT)
    gke.refresh()
    assert "gcloud services enable" in state()[1]
    google.stop()
    gke.refresh()
    assert state()[0] is False
    assert "cannot be reached" in state()[1]
    assert gke.cluster_at(ClusterAddress(PROJECT, "europe-west1", "dbt")) is not None


def test_without_projects_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PILOTHOUSE_GOOGLE_PROJECTS")
    settings.cache_clear()
    with pytest.raises(NotAllowed):
        gke.refresh()
    assert gke.project_states() == []


def test_what_projects_and_runs_on_gke_name_is_watched_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PILOTHOUSE_GOOGLE_PROJECTS")
    settings.cache_clear()
    parameters = {"operator_parameters": {"project_id": "of-a-run"}}
    run = Run(project="shop", dag_id="d", dag_run_id="r", command="build", operator=OperatorName.GKE, conf=parameters)
    with session() as opened:
        opened.add(run)
    assert watched_projects() == ("of-a-run",)


def test_a_project_that_is_not_configured_any_more_is_forgotten(
    google: "GoogleStandIn", monkeypatch: pytest.MonkeyPatch
) -> None:
    google.plane.add_cluster(PROJECT, "europe-west1", "dbt")
    gke.refresh()
    monkeypatch.setenv("PILOTHOUSE_GOOGLE_PROJECTS", "another-project, third-project")
    settings.cache_clear()
    gke.refresh()
    assert gke.clusters() == []
    assert [project for project, _ in gke.project_states()] == ["another-project", "third-project"]
