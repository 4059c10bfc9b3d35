"""The cluster is a real one, and the dbt image does on it what the console relies on."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from contracts.log_artifacts import ArtifactReader
from contracts.log_event import LogEvent, parse_log_line
from tests.cluster.access import Cluster, client_of, until

GRACE_SECONDS = 240
"""Ample, because a busy machine is no failure; dbt needs a second or two of it."""

SMALL = {"requests": {"cpu": "100m", "memory": "64Mi"}}
READ_ONLY = [{"apiGroups": [""], "resources": ["pods", "pods/log", "events"], "verbs": ["get", "list", "watch"]}]


def start(
    cluster: Cluster, namespace: str, image: str, *, name: str = "pod", clone: str | None = None, **container: Any
) -> str:
    """Start a pod with one container, `base`: a volume at /workspace, perhaps a cloned repository at /project."""
    common = {"image": image, "imagePullPolicy": cluster.images.pull_policy, "resources": SMALL}
    mounts = [{"name": "workspace", "mountPath": "/workspace"}]
    mounts += [{"name": "project", "mountPath": "/project"}] if clone else []
    cloning = {**common, "name": "clone", "command": ["git", "clone", clone, "/project"], "volumeMounts": mounts}
    pod: Any = {
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "volumes": [{"name": "workspace", "emptyDir": {}}, {"name": "project", "emptyDir": {}}],
            "initContainers": [cloning] if clone else [],
            "containers": [{**common, "name": "base", "volumeMounts": mounts, **container}],
        },
    }
    cluster.core.create_namespaced_pod(namespace, pod)
    return name


def exit_code(cluster: Cluster, namespace: str, pod: str) -> int:
    """Wait for the end of the container."""

    def look() -> Any:
        [status] = cluster.core.read_namespaced_pod(pod, namespace).status.container_statuses or [None]  # type: ignore[union-attr]
        return status and status.state and status.state.terminated

    code: int = until(look, "the container has ended").exit_code
    return code


def log(cluster: Cluster, namespace: str, pod: str) -> list[str]:
    text: str = cluster.core.read_namespaced_pod_log(pod, namespace)
    return text.splitlines()


def artifacts(events: list[LogEvent]) -> dict[str, Any]:
    reader = ArtifactReader()
    return {one.name: json.loads(one.content) for event in events if (one := reader.add(event))}


def test_a_pod_runs_and_its_log_and_status_are_read(cluster: Cluster, namespace: str) -> None:
    pod = start(cluster, namespace, cluster.images.busybox, command=["sh", "-c", "echo hello; exit 5"])
    assert exit_code(cluster, namespace, pod) == 5
    assert log(cluster, namespace, pod) == ["hello"]


def test_dbt_builds_the_example_with_few_rights_and_its_artifacts_come_by_the_log(
    cluster: Cluster, namespace: str
) -> None:
    rights = {"readOnlyRootFilesystem": True, "runAsNonRoot": True, "allowPrivilegeEscalation": False}
    pod = start(cluster, namespace, cluster.images.dbt_example, args=["dbt", "build"], securityContext=rights)
    assert exit_code(cluster, namespace, pod) == 0
    events = [parse_log_line(line) for line in log(cluster, namespace, pod)]
    assert all(event.name for event in events), "every line is an event"
    found = artifacts(events)
    statuses = {result["status"] for result in found["run_results.json"]["results"]}
    assert statuses <= {"success", "pass", "no-op"}
    assert {event.name for event in events} >= {"NodeStart", "NodeFinished", "CommandCompleted"}
    assert found["manifest.json"]["metadata"]["project_name"] == "harbour"


SERVE_PROJECT = """
cd /workspace && git init -q work && cp -r /project/. work && cd work && git add . && git -c user.name=x -c user.email=x
commit -qm x && cd .. && git clone -q --bare work repository.git && git -C repository.git update-server-info &&
python3 -m http.server 8000
""".replace("\n", " ")


def test_an_init_container_clones_the_project_from_git(cluster: Cluster, namespace: str) -> None:
    words = ["sh", "-c", SERVE_PROJECT]
    ready = {"httpGet": {"path": "/repository.git/info/refs", "port": 8000}, "periodSeconds": 1}
    server = start(cluster, namespace, cluster.images.dbt_example, name="git", command=words, readinessProbe=ready)

    def address() -> Any:
        status: Any = cluster.core.read_namespaced_pod(server, namespace).status
        return status.pod_ip if status.container_statuses and status.container_statuses[0].ready else None

    url = f"http://{until(address, 'the git server is ready')}:8000/repository.git"
    pod = start(cluster, namespace, cluster.images.dbt, clone=url, args=["dbt", "parse"])
    assert exit_code(cluster, namespace, pod) == 0
    events = [parse_log_line(line) for line in log(cluster, namespace, pod)]
    assert artifacts(events)["manifest.json"]["metadata"]["project_name"] == "harbour"


def test_a_deleted_pod_interrupts_dbt_which_leaves_partial_results(cluster: Cluster, namespace: str) -> None:
    variables = json.dumps({"slow_seconds": 600})
    words = ["dbt", "build", "--select", "+depth_soundings", "--vars", variables]
    pod = start(cluster, namespace, cluster.images.dbt_example, args=words)

    def is_at_the_slow_node() -> bool:
        lines = log(cluster, namespace, pod) if has_started(cluster, namespace, pod) else []
        return any(
            event.name == "NodeStart" and (event.unique_id or "").endswith(".depth_soundings")
            for event in map(parse_log_line, lines)
        )

    until(is_at_the_slow_node, "the slow model runs")
    following = cluster.core.read_namespaced_pod_log(pod, namespace, follow=True, _preload_content=False)
    cluster.core.delete_namespaced_pod(pod, namespace)
    code = last_exit_code(cluster, namespace, pod)
    events = [parse_log_line(line) for line in following.data.decode().splitlines()]  # type: ignore[attr-defined]
    assert code not in (0, 137), "it ended by itself, and not well"
    results = artifacts(events)["run_results.json"]["results"]
    assert results
    assert all(
        not result["unique_id"].endswith(".depth_soundings") for result in results if result["status"] == "success"
    )


def has_started(cluster: Cluster, namespace: str, pod: str) -> bool:
    found: Any = cluster.core.read_namespaced_pod(pod, namespace).status
    return bool(found.phase == "Running")


def last_exit_code(cluster: Cluster, namespace: str, pod: str) -> int:
    """The container's exit code, caught before the pod is gone."""
    from kubernetes import watch

    watching: Any = watch.Watch()  # type: ignore[no-untyped-call]
    pods = cluster.core.list_namespaced_pod
    for event in watching.stream(pods, namespace, field_selector=f"metadata.name={pod}", timeout_seconds=GRACE_SECONDS):
        for status in event["object"].status.container_statuses or []:
            if status.state.terminated:
                code: int = status.state.terminated.exit_code
                return code
    raise AssertionError("the container did not end")


def test_a_read_only_service_account_may_watch_and_nothing_else(
    cluster: Cluster, namespace: str, make_service_account: Callable[[Sequence[dict[str, Any]]], Path]
) -> None:
    from kubernetes.client import ApiException, CoreV1Api

    core = CoreV1Api(client_of(make_service_account(READ_ONLY)))
    assert core.list_namespaced_pod(namespace).items == []
    body: Any = {"metadata": {"name": "x"}, "spec": {"containers": [{"name": "base", "image": "x"}]}}
    for forbidden in (lambda: core.create_namespaced_pod(namespace, body), lambda: core.list_namespaced_pod("default")):
        with pytest.raises(ApiException) as refusal:
            forbidden()
        assert refusal.value.status == 403
        assert json.loads(refusal.value.body or "")["reason"] == "Forbidden"


def test_a_pod_finds_the_api_server_by_itself(cluster: Cluster, namespace: str) -> None:
    script = "wget -q -O - --no-check-certificate https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/version"
    pod = start(cluster, namespace, cluster.images.busybox, command=["sh", "-c", script])
    assert exit_code(cluster, namespace, pod) == 0
    assert json.loads("".join(log(cluster, namespace, pod)))["major"] == "1"
