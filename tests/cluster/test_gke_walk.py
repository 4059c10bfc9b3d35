"""The walk of an analyst whose project runs on GKE: a real Airflow, Google's provider as it is, real pods.

Google's control plane is the stand-in of tests/google; its clusters are all the session's real Kubernetes.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from contracts.gke.names import EXPIRES_LABEL, RUN_LABEL
from contracts.names import run_label_of
from models.run import Run
from models.run_state import NodeStatus, RunState
from services import clusters
from services.runs import history, orders
from tests.cluster.access import Cluster
from tests.cluster.gke import LOCATION, cluster_name, parameters, publish
from tests.cluster.launched import RUN_SECONDS, collected, fresh, launch, nodes_of
from tests.google.errors import quota_exceeded
from tests.google.operations import Kind
from tests.google.stand_in import GoogleStandIn
from tests.stack.consoles import OwnConsole, own_console, until
from tests.stack.harness import Stack


@pytest.fixture(scope="module")
def console(
    google: GoogleStandIn, airflow_stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OwnConsole]:
    with own_console(airflow_stack, tmp_path_factory.mktemp("console")) as made:
        yield made


@pytest.fixture(scope="module")
def ephemeral(console: OwnConsole, google: GoogleStandIn, cluster: Cluster) -> str:
    """A published project whose every run makes a cluster and deletes it."""
    return publish("harbour_log", parameters(google, cluster, cluster_mode="ephemeral"))


@dataclass(frozen=True)
class Started:
    """Runs that were launched together, because most of their time is waiting."""

    standing: Run
    """On a cluster that exists."""
    failing: Run
    slow: Run


@pytest.fixture(scope="module")
def started(console: OwnConsole, ephemeral: str, google: GoogleStandIn, cluster: Cluster) -> Started:
    google.plane.add_cluster(google.project, LOCATION, "standing")
    google.identities.impersonable.add(f"dbt@{google.project}.iam.gserviceaccount.com")
    own = {"cluster_name": "standing", "name": "berth", "impersonation_chain": sorted(google.identities.impersonable)}
    standing = publish("harbour", parameters(google, cluster, **own))
    return Started(
        slow=launch(ephemeral, vars="slow_seconds: 120"),
        standing=launch(standing),
        failing=launch(ephemeral, vars="break_on_purpose: true"),
    )


def test_a_run_that_is_cancelled_takes_its_cluster_with_it(started: Started, google: GoogleStandIn) -> None:
    run = started.slow
    until(lambda: nodes_of(run).get("depth_soundings"), seconds=RUN_SECONDS)
    assert cluster_name(run) in google.plane.clusters
    orders.cancel(run.id or 0, by="bo")
    ended = collected(run)
    assert (ended.state, ended.message) == (RunState.CANCELLED, "Cancelled by bo.")
    assert nodes_of(run)["depth_soundings"].status is NodeStatus.INTERRUPTED
    assert cluster_name(run) not in google.plane.clusters


def test_a_run_on_a_cluster_that_exists(started: Started, google: GoogleStandIn) -> None:
    run = collected(started.standing)
    assert (run.state, run.message) == (RunState.SUCCEEDED, None)
    assert run.nodes_total == run.nodes_ok == 35
    [invocation] = history.invocations_of(run.id or 0)
    assert (invocation.log_from_airflow, invocation.exit_code) == (False, 0)
    pod = clusters.pod_of(invocation.id or 0)
    assert pod is not None
    assert pod.name.startswith("berth-")
    assert {("impersonation", account) for account in google.identities.impersonable} <= set(google.identities.asked)
    assert cluster_name(run) in google.plane.clusters


def test_a_run_that_fails_takes_its_cluster_with_it_and_its_retry_gets_a_new_one(
    started: Started, google: GoogleStandIn
) -> None:
    run = collected(started.failing)
    assert run.state is RunState.FAILED
    assert "customs_declarations" in (run.message or "")
    failed = nodes_of(run)["customs_declarations"]
    assert "customs_stamp" in (failed.compiled_sql or "")
    assert failed.compiled_line
    assert cluster_name(run) not in google.plane.clusters
    again = orders.retry(run.id or 0, by="bo", launch_key=uuid.uuid4().hex)
    assert cluster_name(again) != cluster_name(run)
    until(lambda: "Google makes the cluster" in (fresh(again).message or ""), seconds=RUN_SECONDS)
    orders.cancel(again.id or 0, by="bo")
    assert collected(again).state is RunState.CANCELLED
    assert cluster_name(again) not in google.plane.clusters


def test_a_cluster_lives_as_long_as_its_run(ephemeral: str, google: GoogleStandIn) -> None:
    google.plane.hold(Kind.CREATE_CLUSTER)
    run = launch(ephemeral)
    name = cluster_name(run)
    until(lambda: name in google.plane.clusters, seconds=RUN_SECONDS)
    until(lambda: "Google makes the cluster" in (fresh(run).message or ""))
    assert fresh(run).state is RunState.STARTING
    labels = google.plane.clusters[name].resource_labels
    assert labels[RUN_LABEL] == run_label_of(run.dag_id, run.dag_run_id)
    assert labels[EXPIRES_LABEL].isdigit()
    google.plane.hold(Kind.DELETE_CLUSTER)
    google.plane.release(Kind.CREATE_CLUSTER)
    until(lambda: "Google deletes the cluster" in (fresh(run).message or ""), seconds=RUN_SECONDS)
    assert nodes_of(run)["berth_use"].status is NodeStatus.SUCCESS
    google.plane.release()
    ended = collected(run)
    assert (ended.state, ended.message, ended.nodes_ok) == (RunState.SUCCEEDED, None, 35)
    assert name not in google.plane.clusters


def test_a_run_that_is_cancelled_while_its_cluster_is_made_leaves_none(ephemeral: str, google: GoogleStandIn) -> None:
    google.plane.hold(Kind.CREATE_CLUSTER)
    run = launch(ephemeral)
    until(lambda: cluster_name(run) in google.plane.clusters, seconds=RUN_SECONDS)
    orders.cancel(run.id or 0, by="bo")
    until(lambda: any(rpc == "DeleteCluster" and about == cluster_name(run) for rpc, about in google.plane.calls))
    google.plane.release()
    ended = collected(run)
    assert (ended.state, ended.message) == (RunState.CANCELLED, "Cancelled by bo.")
    assert not nodes_of(run)
    assert cluster_name(run) not in google.plane.clusters


def test_a_cluster_that_google_cannot_make_is_the_runs_failure_in_googles_words(
    ephemeral: str, google: GoogleStandIn
) -> None:
    google.plane.fail_operation(Kind.CREATE_CLUSTER, quota_exceeded())
    run = collected(launch(ephemeral))
    assert run.state is RunState.FAILED
    assert "Insufficient regional quota" in (run.message or "")
    assert cluster_name(run) not in google.plane.clusters
    google.plane.deny("container.clusters.create")
    try:
        refused = collected(launch(ephemeral))
    finally:
        google.plane.allow("container.clusters.create")
    assert 'Required "container.clusters.create" permission' in (refused.message or "")
    assert "roles/container.clusterAdmin" in (refused.message or "")
