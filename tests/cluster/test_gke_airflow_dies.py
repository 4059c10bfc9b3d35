"""A run on a cluster of its own, and Airflow dies in its midst: the collector deletes the cluster, and the run ends."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from contracts.gke.names import EXPIRES_LABEL
from contracts.names import RUN_LABEL, run_label_of
from models.run import Run
from models.run_state import NodeStatus, RunState
from stack import proc
from tests.cluster.access import Cluster
from tests.cluster.gke import cluster_name, parameters, publish
from tests.cluster.launched import RUN_SECONDS, comes_to, fresh, launch, nodes_of
from tests.google.stand_in import GoogleStandIn
from tests.stack.consoles import OwnConsole, own_console, until
from tests.stack.harness import Stack


@pytest.fixture(scope="module")
def console(
    google: GoogleStandIn, airflow_stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OwnConsole]:
    with own_console(airflow_stack, tmp_path_factory.mktemp("console")) as made:
        yield made


@pytest.fixture
def mortal_stack(airflow_stack: Stack) -> Iterator[Stack]:
    """The session's, which runs again when the test has ended."""
    yield airflow_stack
    airflow_stack.start()


def kill(stack: Stack) -> None:
    """As when its machine is switched off: supervisor, scheduler, API server, workers and tasks at once."""
    assert stack.process
    for pid in [stack.process.pid, *proc.descendants(stack.process.pid)]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    stack.wait()
    proc.end(stack.pids, [(signal.SIGKILL, 5.0)])


def let_time_pass(google: GoogleStandIn, run: Run) -> None:
    """Its time to live is over; the shortest that may be chosen is half an hour."""
    google.plane.clusters[cluster_name(run)].resource_labels[EXPIRES_LABEL] = str(int(time.time()))


def delete_pod(cluster: Cluster, run: Run) -> None:
    """A cluster's pods go with it; the stand-in's clusters are all one."""
    label = f"{RUN_LABEL}={run_label_of(run.dag_id, run.dag_run_id)}"
    cluster.core.delete_collection_namespaced_pod("default", label_selector=label, grace_period_seconds=0)


def test_the_collector_deletes_the_cluster_and_says_how_the_run_ended(
    console: OwnConsole, google: GoogleStandIn, cluster: Cluster, mortal_stack: Stack
) -> None:
    project = publish("harbour_alone", parameters(google, cluster, cluster_mode="ephemeral"))
    run = launch(project, vars="slow_seconds: 600")
    comes_to(run, "depth_soundings")
    kill(mortal_stack)
    assert cluster_name(run) in google.plane.clusters
    let_time_pass(google, run)
    until(lambda: cluster_name(run) not in google.plane.clusters)
    delete_pod(cluster, run)
    until(lambda: fresh(run).state.is_terminal and "dbt ended" in (fresh(run).message or ""), seconds=RUN_SECONDS)
    ended = fresh(run)
    assert ended.state is RunState.FAILED
    assert "was deleted because its time to live was over; dbt ended with it." in (ended.message or "")
    assert nodes_of(run)["depth_soundings"].status is NodeStatus.INTERRUPTED
    assert nodes_of(run)["ships"].status is NodeStatus.SUCCESS
