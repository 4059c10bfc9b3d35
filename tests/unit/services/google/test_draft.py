"""A new cluster is refused next to the field that is wrong, before anything is sent."""

from typing import Any

import pytest

from models.google import GoogleCluster
from services import google as gke
from services.google import store
from services.google.control_plane import Listing

GOOD = {"project_id": "pilothouse-test", "location": "europe-west1", "name": "dbt"}


@pytest.fixture
def neighbour() -> None:
    row = GoogleCluster(
        project_id="pilothouse-test", location="europe-west1", name="taken", status="RUNNING",
        network={"network": "projects/p/global/networks/default", "pods": "10.96.0.0/14", "services": "10.94.0.0/20"},
    )  # fmt: skip
    store.keep_listing("pilothouse-test", Listing([row], frozenset()))


def test_a_good_one_has_no_problems(neighbour: None) -> None:
    assert gke.problems(GOOD) == {}


@pytest.mark.parametrize(
    ("values", "field", "told"),
    [
        ({"name": "My cluster"}, "name", "At most 40 lower-case letters"),
        ({"name": ""}, "name", "At most 40"),
        ({"name": "taken"}, "name", "has a cluster of this name already"),
        ({"project_id": "another-one"}, "project_id", "not among PILOTHOUSE_GOOGLE_PROJECTS"),
        ({"location": "europe-west1-b"}, "location", "must be a region for autopilot: europe-west1"),
        ({"pod_range": "10.0.0.1/14"}, "pod_range", "write 10.0.0.0/14"),
        ({"pod_range": "10.98.0.0/16"}, "pod_range", "overlaps the pods of taken, 10.96.0.0/14"),
        ({"service_range": "10.94.8.0/24"}, "service_range", "overlaps the services of taken"),
        ({"pod_range": "10.0.0.0/14", "service_range": "10.1.0.0/20"}, "pod_range", "“Range of services” 10.1.0.0/20"),
        ({"authorised_networks": ["0.0.0.0/0"]}, "authorised_networks", "“Open to the internet”"),
        ({"mode": "standard", "min_nodes": 5}, "node_count", "is not within"),
        ({"mode": "standard", "disk_size_gb": 1}, "disk_size_gb", "At least 10."),
        ({"labels": {"Team": "x"}}, "labels", "63 lower-case letters"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(neighbour: None, values: dict[str, Any], field: str, told: str) -> None:
    found = gke.problems({**GOOD, **values})
    assert list(found) == [field]
    assert told in found[field]
