"""Opt-in: the same code against Google itself. It makes a cluster, runs a pod on it, and deletes it: that costs money.

    GKE_SMOKE_PROJECT=my-project GKE_SMOKE_LOCATION=europe-west1 python -m pytest tests/google/test_real_google.py

Credentials are Google's Application Default ones. GKE_SMOKE_IMAGE is what the pod runs, if not busybox.
"""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from contracts.gke.clusters import ClusterSpec
from contracts.gke.names import ClusterAddress
from models.google import OperationState

PROJECT, LOCATION = os.environ.get("GKE_SMOKE_PROJECT", ""), os.environ.get("GKE_SMOKE_LOCATION", "")
IMAGE = os.environ.get("GKE_SMOKE_IMAGE", "busybox")
pytestmark = pytest.mark.skipif(
    not (PROJECT and LOCATION), reason="Google itself: set GKE_SMOKE_PROJECT and GKE_SMOKE_LOCATION; it costs money"
)
_MINUTES = 30


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from services import database
    from services.settings import settings

    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    monkeypatch.setenv("PILOTHOUSE_USER", "smoke")
    monkeypatch.setenv("PILOTHOUSE_GOOGLE_PROJECTS", PROJECT)
    settings.cache_clear()
    database.engine.cache_clear()
    database.migrate()
    yield
    database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()


def until(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _MINUTES * 60
    while not question():
        assert time.monotonic() < deadline
        time.sleep(10)


def followed(plane: Any) -> bool:
    from services import google as gke
    from services.google.operations import follow

    for operation in gke.open_operations():
        follow(plane, operation)
    return not gke.open_operations()


def test_a_cluster_is_made_runs_a_pod_and_is_deleted(store: None) -> None:
    from services import google as gke
    from services.google.control_plane import ControlPlane
    from services.operators._google import google_checks

    checks = google_checks(PROJECT, None, makes_clusters=True)
    assert not [check for check in checks if check.passed is False]
    address = ClusterAddress(PROJECT, LOCATION, f"ph-smoke-{uuid.uuid4().hex[:8]}")
    spec = ClusterSpec(project_id=PROJECT, location=LOCATION, name=address.name, private_nodes=False)
    plane = ControlPlane()
    gke.create(spec, by="smoke")
    try:
        until(lambda: followed(plane))
        made = gke.recent_operations()[0]
        assert made.state is OperationState.DONE, made.message
        gke.refresh()
        assert gke.cluster_at(address) is not None
        assert "it runs" in _output_of_a_pod(address)
    finally:
        gke.delete(address, typed=address.name, by="smoke")
    until(lambda: followed(plane))
    gke.refresh()
    assert gke.cluster_at(address) is None


def _output_of_a_pod(address: ClusterAddress) -> str:
    from contracts.names import DBT_CONTAINER
    from services.clusters import ClusterClient, get_cluster
    from services.errors import BackendRejected, NotFound
    from services.google.access import api_client

    container = {"name": DBT_CONTAINER, "image": IMAGE, "command": ["sh", "-c", "echo it runs"]}
    manifest = {"metadata": {"name": "smoke"}, "spec": {"restartPolicy": "Never", "containers": [container]}}
    _create_pod(api_client(address), manifest)
    client = ClusterClient(get_cluster(address.path))
    told: list[str] = []

    def has_spoken() -> bool:
        with suppress(BackendRejected, NotFound):
            told.append(client.log_tail("default", "smoke", lines=10))
        return any("it runs" in text for text in told)

    until(has_spoken)
    return told[-1]


def _create_pod(api: Any, manifest: dict[str, Any]) -> None:
    request = api.param_serialize(
        "POST", "/api/v1/namespaces/default/pods", header_params={"Content-Type": "application/json"},
        body={"apiVersion": "v1", "kind": "Pod", **manifest}, auth_settings=["BearerToken"],
    )  # fmt: skip
    response = api.call_api(*request, _request_timeout=30).response
    assert response.status == 201, response.data
