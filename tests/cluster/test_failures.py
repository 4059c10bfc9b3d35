"""What goes wrong with dbt in pods, provoked through a real Airflow on a real cluster: each in its state and sentence.

Most of it is waiting, so the runs are launched together; only the collector and the API server fail alone.
"""

import re
import signal
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from models.cluster import Pod
from models.run import Invocation, NodeResult, Run
from models.run_state import NodeStatus, RunState
from services import clusters, health, logs, results
from services.runs import history
from tests.cluster.access import Cluster
from tests.cluster.dbt_namespace import KNOWN_AS, DbtNamespace
from tests.cluster.launched import collected, comes_to, invocation_of, is_told_whole_and_once, launch
from tests.stack.consoles import OwnConsole, until

OUTAGE_SECONDS = 30
STARTUP_SECONDS = 30
DEADLINE_SECONDS = 20
MISSING = "nowhere"
SPOILED = "/workspace/spoiled"
SPOIL = (
    f"cp -r /project {SPOILED} && echo \"select * from {{{{ ref('nowhere') }}}}\" > {SPOILED}/models/spoiled.sql"
    ' && exec /opt/venv/bin/python /opt/pilothouse/entrypoint.py "$@"'
)


@dataclass(frozen=True)
class Failure:
    """A run that is bound to fail, and what is to be seen of it."""

    project: str
    says: str
    """The run's sentence, as a pattern."""
    parameters: dict[str, Any] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None
    """dbt's, where it came to one."""
    steps: dict[str, str] = field(default_factory=dict)
    """Steps of the pod's story, and what they say among other things."""
    has_pod: bool = True


FAILURES = {
    "image": Failure(
        "hurried",
        # Airflow deletes such a pod at once: on a busy machine its word is the only one
        r"(Airflow: )?The image localhost/no-such:1 cannot be pulled: .+\. Check its name and tag, and the pull .+\.",
        {"image": "localhost/no-such:1", "image_pull_policy": "IfNotPresent"},
        steps={"Failed": "Failed to pull image"},
    ),
    "node": Failure(
        "hurried",
        r"No node can take the pod: 0/\d+ nodes are available: .*Insufficient cpu\.",
        {"cpu_request": "900"},
        steps={"FailedScheduling": "Insufficient cpu"},
    ),
    "quota": Failure(
        "hurried",
        r"Airflow: the cluster refused the pod: pods .* is forbidden: exceeded quota: small, .* Lower .*",
        {"ephemeral_storage_request": "2Gi"},
        has_pod=False,
    ),
    "deadline": Failure(
        "hurried",
        rf"The pod existed longer than its deadline of {DEADLINE_SECONDS} s allows\.",
        request={"vars": "slow_seconds: 300"},
        steps={"DeadlineExceeded": "active on the node longer than"},
    ),
    "memory": Failure(
        "kept",
        r"dbt was killed: it needed more than its memory limit of 64Mi \(OOMKilled\)\.",
        {"memory_limit": "64Mi"},
        exit_code=137,
        steps={"dbt ended": "exit code 137"},
    ),
    "model": Failure(
        "kept",
        r"model customs_declarations failed: .*customs_stamp.*",
        request={"vars": "break_on_purpose: true"},
        exit_code=1,
        steps={"dbt ended": "exit code 1"},
    ),
    "parsing": Failure(
        "kept",
        r".*'nowhere' which was not found.*",
        {"entrypoint": ["sh", "-c", SPOIL, "sh"], "project_directory": SPOILED},
        exit_code=2,
        steps={"dbt ended": "exit code 2"},
    ),
    "usage": Failure(
        "administered",
        r"Error: No such option '?--no-such-option.*",
        {"arguments": ["dbt", "{dbt}", "--project-dir", "{project}", "--no-such-option"]},
        exit_code=2,
        steps={"dbt ended": "exit code 2"},
    ),
    "namespace": Failure(
        "administered",
        rf'Airflow: the cluster refused the pod: namespaces "{MISSING}" not found\. .*',
        {"namespace": MISSING},
        has_pod=False,
    ),
    "rights": Failure(
        "forbidden",
        r'Airflow: the cluster refused the pod: pods is forbidden: User .+ cannot create resource "pods" .+-rbac.yaml.',
        has_pod=False,
    ),
}


@pytest.fixture(scope="module")
def projects(dbt_namespace: DbtNamespace, cluster: Cluster) -> None:
    """Projects that differ in what only a project may choose."""
    life = {"startup_timeout_seconds": STARTUP_SECONDS, "active_deadline_seconds": DEADLINE_SECONDS}
    dbt_namespace.create("hurried", grace_period_seconds=5, **life)
    dbt_namespace.create("kept", on_finish_action="delete_succeeded_pod")
    dbt_namespace.create("administered", kubeconfig=str(cluster.kubeconfig))
    dbt_namespace.create("forbidden", kubeconfig=str(dbt_namespace.for_console))
    dbt_namespace.create("retried", retries=1)
    dbt_namespace.advance("hurried", "kept", "administered", "forbidden", "retried")


@pytest.fixture(scope="module")
def quota(dbt_namespace: DbtNamespace) -> None:
    body: Any = {"metadata": {"name": "small"}, "spec": {"hard": {"requests.ephemeral-storage": "1Gi"}}}
    dbt_namespace.cluster.core.create_namespaced_resource_quota(dbt_namespace.name, body)


@pytest.fixture(scope="module")
def runs(projects: None, quota: None) -> dict[str, Run]:
    """All of them, launched together."""
    slow = {"vars": "slow_seconds: 20"}
    deleted = {"retried": launch("retried", **slow), "deleted": launch("kept", **slow)}
    failing = {
        name: launch(one.project, operator_parameters=one.parameters, **one.request) for name, one in FAILURES.items()
    }
    return deleted | failing


def pod_of(invocation: Invocation) -> Pod:
    found = clusters.pod_of(invocation.id or 0)
    assert found
    return found


def delete_pod(run: Run, namespace: DbtNamespace) -> Pod:
    """What somebody does with kubectl while dbt runs."""
    comes_to(run, "depth_soundings")
    pod = pod_of(history.invocations_of(run.id or 0)[0])
    namespace.cluster.core.delete_namespaced_pod(pod.name, namespace.name)
    return pod


def results_of(invocation: Invocation) -> dict[str, NodeResult]:
    return {node.name: node for node in results.node_results(invocation.id or 0)}


def test_a_pod_that_is_deleted_is_told_and_the_next_try_takes_over(
    runs: dict[str, Run], dbt_namespace: DbtNamespace
) -> None:
    pods = [delete_pod(runs[name], dbt_namespace) for name in ("retried", "deleted")]
    again, failed = collected(runs["retried"]), collected(runs["deleted"])
    first, second = history.invocations_of(again.id or 0)
    assert (first.state, second.state, again.state) == (RunState.FAILED, RunState.SUCCEEDED, RunState.SUCCEEDED)
    assert again.message is None
    assert again.nodes_total == again.nodes_ok == 35
    assert failed.state is RunState.FAILED
    for invocation in (first, invocation_of(failed)):
        assert (invocation.message or "").startswith("The pod was deleted while dbt ran")
        assert results_of(invocation)["depth_soundings"].status is NodeStatus.INTERRUPTED
    assert failed.message == invocation_of(failed).message
    until(lambda: not {pod.name for pod in pods} & set(dbt_namespace.pods()))


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_says_what_it_is(name: str, runs: dict[str, Run], dbt_namespace: DbtNamespace) -> None:
    failure, run = FAILURES[name], collected(runs[name])
    assert run.state is RunState.FAILED
    assert re.fullmatch(failure.says, run.message or ""), run.message
    invocation = invocation_of(run)
    assert invocation.state is RunState.FAILED
    assert failure.exit_code in (None, invocation.exit_code)
    if not failure.has_pod:
        assert clusters.pod_of(invocation.id or 0) is None
        return
    pod = pod_of(invocation)
    for title, text in failure.steps.items():
        assert any(step["title"] == title and text in step["text"] for step in pod.steps), pod.steps
    if failure.project == "kept":
        assert pod.name in dbt_namespace.pods()
    else:
        until(lambda: pod.name not in dbt_namespace.pods())


def test_a_collector_that_is_killed_in_mid_run_loses_and_doubles_nothing(projects: None, console: OwnConsole) -> None:
    run = launch("administered", vars="slow_seconds: 12")
    for node in ("ships", "depth_soundings"):
        comes_to(run, node)
        console.collector.end(signal.SIGKILL)
        with logs.path_of(invocation_of(run)).open("ab") as file:
            file.write(b'{"info": {"name": "torn", "msg": "written, not commit')
        console.collector.start()
    ended = collected(run)
    assert (ended.state, ended.message, ended.nodes_ok) == (RunState.SUCCEEDED, None, 35)
    is_told_whole_and_once(run)


def test_an_api_server_that_is_away_in_mid_run_costs_nothing(projects: None, dbt_namespace: DbtNamespace) -> None:
    own = dbt_namespace.cluster.own
    if own is None:
        pytest.skip("only a cluster of ours can lose its API server")
    run = launch("administered", vars="slow_seconds: 25")
    comes_to(run, "depth_soundings")
    own.hold("kube-apiserver")
    try:
        stopped = time.monotonic()
        until(lambda: not health.of_system(clusters.system_of(KNOWN_AS)).reachable)
        assert history.get_run(run.id or 0).state is RunState.RUNNING
        time.sleep(max(0, OUTAGE_SECONDS - (time.monotonic() - stopped)))
    finally:
        own.release("kube-apiserver")
    ended = collected(run)
    assert (ended.state, ended.message, ended.nodes_ok) == (RunState.SUCCEEDED, None, 35)
    is_told_whole_and_once(run)
    assert "CommandCompleted" in logs.path_of(invocation_of(run), "airflow").read_text(), "Airflow's copy is whole too"
    assert pod_of(invocation_of(run)).steps
    until(lambda: pod_of(invocation_of(run)).name not in dbt_namespace.pods())
