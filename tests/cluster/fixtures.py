"""Fixtures with a real Kubernetes. A test folder gets them by importing them in its conftest."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stack import debian
from tests.cluster.access import Cluster, ImageNames
from tests.cluster.clusters import OwnCluster
from tests.cluster.dbt_namespace import DbtNamespace
from tests.stack.consoles import OwnConsole

if TYPE_CHECKING:
    from tests.google.stand_in import GoogleStandIn


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster of KUBECONFIG if that is set, otherwise one of our own, which ends with the session.

    KUBECONFIG may be that of `python3 -m tests.cluster up`: it stays, and may be broken by tests like the session's.
    """
    folder = tmp_path_factory.mktemp("cluster")
    if given := os.environ.get("KUBECONFIG"):
        yield Cluster(Path(given), ImageNames.from_settings(), folder, OwnCluster.behind(Path(given)))
        return
    if reason := debian.why_not():
        pytest.skip(f"{reason}; set KUBECONFIG to use a cluster of yours")
    own = OwnCluster.named(f"session-{os.getpid()}")
    own.start(lambda text: print(text, flush=True), outlives_us=False)  # noqa: T201
    try:
        yield Cluster(own.kubeconfig, ImageNames(), folder, own)
    finally:
        own.stop()


@pytest.fixture
def make_namespace(cluster: Cluster) -> Iterator[Callable[[], str]]:
    """Makes namespaces, which are deleted when the test ends."""
    made: list[str] = []

    def make() -> str:
        made.append(cluster.make_namespace())
        return made[-1]

    yield make
    for name in made:
        cluster.delete_namespace(name)


@pytest.fixture
def namespace(make_namespace: Callable[[], str]) -> str:
    """The test's own namespace."""
    return make_namespace()


@pytest.fixture(scope="module")
def dbt_namespace(console: OwnConsole, cluster: Cluster) -> Iterator[DbtNamespace]:
    """A namespace where the module's console and its Airflow may run dbt, with no more rights than they need."""
    made = DbtNamespace.make(cluster)
    yield made
    cluster.delete_namespace(made.name)


@pytest.fixture(scope="module")
def google(google_cloud: "GoogleStandIn") -> Iterator["GoogleStandIn"]:
    """The session's Google, also for the console of this module, where ann and bo may change clusters."""
    before = dict(os.environ)
    os.environ.update(google_cloud.environment() | {"PILOTHOUSE_CLUSTER_ADMINS": "ann,bo"})
    yield google_cloud
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def make_service_account(cluster: Cluster, namespace: str) -> Callable[[Sequence[dict[str, Any]]], Path]:
    """Makes service accounts in the test's namespace from a Role's rules; returns the kubeconfig of each."""
    return lambda rules: cluster.make_service_account(namespace, rules)
