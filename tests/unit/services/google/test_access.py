"""The console reaches a GKE cluster's Kubernetes API by the endpoint that is there, with Google's token."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contracts.gke.names import ClusterAddress
from services.clusters import ClusterClient, get_cluster
from services.errors import BackendUnreachable, ConfigurationError, NotFound
from services.operators._google import google_checks
from services.settings import settings

if TYPE_CHECKING:
    from tests.google.stand_in import GoogleStandIn
    from tests.unit.services.google.kubernetes_door import KubernetesDoor

DBT = ClusterAddress("pilothouse-test", "europe-west1", "dbt")


@pytest.fixture
def door(tmp_path: Path) -> "Iterator[KubernetesDoor]":
    from tests.unit.services.google.kubernetes_door import KubernetesDoor

    made = KubernetesDoor(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def google(door: "KubernetesDoor", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Iterator[GoogleStandIn]":
    from tests.google.stand_in import GoogleStandIn

    made = GoogleStandIn(tmp_path, door.endpoint())
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    yield made
    made.stop()


def cluster_with(google: "GoogleStandIn", *, dns: bool, public: bool) -> None:
    from google.cloud.container_v1 import types

    endpoints = {
        "dns_endpoint_config": {"allow_external_traffic": dns},
        "ip_endpoints_config": {"enabled": True, "enable_public_endpoint": public},
    }
    asked = types.Cluster({"name": "dbt", "initial_node_count": 1, "control_plane_endpoints_config": endpoints})
    google.plane.add_cluster("pilothouse-test", "europe-west1", asked)


@pytest.mark.parametrize(("dns", "public"), [(False, True), (True, False), (False, False)])
def test_a_cluster_is_asked_by_the_way_it_has(
    google: "GoogleStandIn", door: "KubernetesDoor", dns: bool, public: bool
) -> None:
    cluster_with(google, dns=dns, public=public)
    assert ClusterClient(get_cluster(DBT.path)).version() == "v1.33.4-gke.1"
    assert google.identities.asked == [("key", "console@pilothouse-test.iam.gserviceaccount.com")]


def test_a_way_that_was_chosen_and_is_not_there_is_told(
    google: "GoogleStandIn", monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster_with(google, dns=False, public=True)
    monkeypatch.setenv("PILOTHOUSE_GOOGLE_ENDPOINT", "dns")
    settings.cache_clear()
    with pytest.raises(ConfigurationError, match="has no dns endpoint"):
        ClusterClient(get_cluster(DBT.path))


def test_a_cluster_that_is_being_made_or_not_there_is_told(google: "GoogleStandIn") -> None:
    from services.google.control_plane import control_plane
    from tests.google.operations import Kind

    with pytest.raises(NotFound):
        ClusterClient(get_cluster(DBT.path))
    google.plane.hold(Kind.CREATE_CLUSTER)
    with control_plane() as plane:
        plane.create("pilothouse-test", "europe-west1", {"name": "dbt", "autopilot": {"enabled": True}})
    with pytest.raises(BackendUnreachable, match="PROVISIONING"):
        ClusterClient(get_cluster(DBT.path))


def test_preflight_says_who_the_console_is_and_what_it_may(google: "GoogleStandIn") -> None:
    cluster_with(google, dns=True, public=False)
    checks = google_checks("pilothouse-test", DBT, makes_clusters=True)
    assert [check.passed for check in checks] == [True] * 4
    assert "console@pilothouse-test.iam.gserviceaccount.com" in checks[0].message
    google.plane.deny("container.clusters.create", "container.clusters.getCredentials")
    rights = google_checks("pilothouse-test", DBT, makes_clusters=True)[2]
    assert "container.clusters.getCredentials, container.clusters.create" in rights.message
    assert google_checks("pilothouse-test", None, makes_clusters=False)[2].passed is False
    missing = google_checks("pilothouse-test", ClusterAddress("pilothouse-test", "us-east1", "x"), makes_clusters=False)
    assert missing[-1].passed is False
    google.plane.disable_api("pilothouse-test")
    assert [check.passed for check in google_checks("pilothouse-test", DBT, makes_clusters=True)] == [True, False]
    google.stop()
    assert google_checks("pilothouse-test", DBT, makes_clusters=True)[-1].passed is False
