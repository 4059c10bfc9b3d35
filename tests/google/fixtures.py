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
    yield from _standing_in(tmp_path, monkeypatch, None)


@pytest.fixture
def google_with_cluster(
    cluster: "Cluster", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator["GoogleStandIn"]:
    """Google, whose clusters are all the session's real Kubernetes, for this process's own clients."""
    yield from _standing_in(tmp_path, monkeypatch, cluster.kubeconfig)


def _standing_in(folder: Path, monkeypatch: pytest.MonkeyPatch, kubeconfig: Path | None) -> Iterator["GoogleStandIn"]:
    from tests.google.clusters import NOWHERE
    from tests.google.stand_in import GoogleStandIn, endpoint_of

    made = GoogleStandIn(folder, endpoint_of(kubeconfig) if kubeconfig else NOWHERE)
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    try:
        yield made
    finally:
        made.stop()
