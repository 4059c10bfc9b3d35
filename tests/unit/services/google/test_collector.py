"""The collector goes on with Google's work after it was killed, and ends clusters whose time is over."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contracts.gke.clusters import ClusterSpec
from contracts.gke.names import marks
from models.google import OperationState
from models.types import now
from services import google as gke

if TYPE_CHECKING:
    from tests.google.stand_in import GoogleStandIn

ROOT = Path(__file__).parents[4]
CLOSED = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_GOOGLE_INTERVAL_SECONDS", "0.2")
    monkeypatch.setenv("PILOTHOUSE_AIRFLOW_URL", CLOSED)
    monkeypatch.setenv("PILOTHOUSE_AIRFLOW_PASSWORD", "unused")
    monkeypatch.setenv("PILOTHOUSE_DBT_API_URL", CLOSED)


@contextmanager
def collector() -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen([sys.executable, "-m", "services.collector"], cwd=ROOT, env=os.environ.copy())
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def eventually(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_an_operation_outlives_a_killed_collector(google: "GoogleStandIn") -> None:
    from tests.google.operations import Kind

    google.plane.hold(Kind.CREATE_CLUSTER)
    spec = ClusterSpec(project_id="pilothouse-test", location="europe-west1", name="dbt")
    gke.create(spec, by="anna")
    with collector():
        eventually(lambda: [each.status for each in gke.clusters()] == ["PROVISIONING"])
        eventually(lambda: gke.open_operations()[0].stages[0]["done"] > 0)
    google.plane.release()
    with collector():
        eventually(lambda: not gke.open_operations())
        eventually(lambda: [each.status for each in gke.clusters()] == ["RUNNING"])
    assert gke.recent_operations()[0].state is OperationState.DONE
    assert [name for name, _ in google.plane.calls].count("CreateCluster") == 1


def test_a_cluster_of_a_run_is_gone_after_its_time_without_airflow(google: "GoogleStandIn") -> None:
    from google.cloud.container_v1 import types

    labels = marks(run_label="a" * 32, project="shop", expires_at=now() + timedelta(seconds=2))
    google.plane.add_cluster("pilothouse-test", "europe-west1", "stays")
    google.plane.add_cluster(
        "pilothouse-test",
        "europe-west1",
        types.Cluster(name="ph-shop-1", autopilot=types.Autopilot(enabled=True), resource_labels=labels),
    )
    with collector():
        eventually(lambda: len(gke.clusters()) == 2)
        eventually(lambda: [each.name for each in gke.clusters()] == ["stays"])
    assert list(google.plane.clusters) == ["projects/pilothouse-test/locations/europe-west1/clusters/stays"]
