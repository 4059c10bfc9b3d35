"""Fixtures with Google's stand-in. A test folder gets them by importing them in its conftest."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cluster.access import Cluster
    from tests.google.stand_in import GoogleStandIn


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["GoogleStandIn"]:
    """Google, with clusters that lead nowhere, for this process's own clients."""
    from tests.google.stand_in import GoogleStandIn

    made = GoogleStandIn(tmp_path)
    _lead_to(made, monkeypatch)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def google_cloud(cluster: "Cluster", tmp_path_factory: pytest.TempPathFactory) -> Iterator["GoogleStandIn"]:
    """The session's Google, whose clusters are all the session's real Kubernetes.

    The session's Airflow is led to it (see tests/stack/fixtures.py); this process is not, unless by its `environment`.
    """
    from tests.google.stand_in import GoogleStandIn, endpoint_of

    made = GoogleStandIn(tmp_path_factory.mktemp("google"), endpoint_of(cluster.kubeconfig))
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def google_with_cluster(google_cloud: "GoogleStandIn", monkeypatch: pytest.MonkeyPatch) -> "GoogleStandIn":
    """The session's Google, for this process's own clients."""
    _lead_to(google_cloud, monkeypatch)
    return google_cloud


def _lead_to(google: "GoogleStandIn", monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in google.environment().items():
        monkeypatch.setenv(name, value)
