"""What preflight asks a real cluster, and that its answers are what the API server then does with the pod."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.operators import OperatorName
from models.project import Project
from services import clusters
from services.operators import operator
from services.operators.base import Check
from services.settings import settings
from tests.cluster.access import Cluster, until
from tests.cluster.dbt_namespace import MANIFESTS
from tests.stack.consoles import settings_of

CLOSED_PORT = "http://127.0.0.1:9"
FULL_VIEW, FEW_RIGHTS, NO_RIGHTS = "full-view", "few-rights", "no-rights"
LARGE = {"cpu_request": "900"}


@pytest.fixture(autouse=True)
def registered(cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[None]:
    """The cluster as three consoles see it: an administrator's, one with the manifest's rights, one with none."""
    values = {"DATA": str(tmp_path / "data"), "AIRFLOW_URL": CLOSED_PORT, "AIRFLOW_PASSWORD": "unused"}
    known = {
        FULL_VIEW: cluster.kubeconfig,
        FEW_RIGHTS: cluster.apply_manifest(namespace, MANIFESTS / "console-rbac.yaml"),
        NO_RIGHTS: cluster.make_service_account(namespace, []),
    }
    with settings_of(values):
        for name, kubeconfig in known.items():
            clusters.register(name, kubeconfig=str(kubeconfig), context=None, by=settings().user)
        yield


def checks(namespace: str, *, seen_by: str = FULL_VIEW, **parameters: Any) -> dict[str, Check]:
    """What preflight says to these parameters, by title."""
    small = {"image": "pilothouse/dbt:1", "cpu_request": "50m", "memory_request": "64Mi"}
    project = Project(name="harbour", owner="ann", created_by="ann", source={}, operator=OperatorName.KUBERNETES)
    project.operator_parameters = {"cluster": seen_by, "namespace": namespace, **small, **parameters}
    return {check.title: check for check in operator(OperatorName.KUBERNETES).preflight(project)}


def passed(found: dict[str, Check]) -> dict[str, bool | None]:
    return {title: check.passed for title, check in found.items()}


def why_refused(cluster: Cluster, namespace: str, **resources: dict[str, str]) -> str:
    """What the API server itself answers to a pod that asks for so much; nothing is made."""
    from kubernetes.client import ApiException

    body: Any = {
        "metadata": {"name": "trial"},
        "spec": {"containers": [{"name": "base", "image": cluster.images.dbt, "resources": resources}]},
    }
    with pytest.raises(ApiException) as refusal:
        cluster.core.create_namespaced_pod(namespace, body, dry_run="All")
    return str(refusal.value.body)


def test_a_pod_that_fits_passes_every_check_and_what_is_missing_fails_its_own(cluster: Cluster, namespace: str) -> None:
    core, named = cluster.core, {"metadata": {"name": "there"}}
    made: Any = named
    core.create_namespaced_secret(namespace, made)
    core.create_namespaced_config_map(namespace, made)
    core.create_namespaced_service_account(namespace, made)
    claim: Any = {**named, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}}
    core.create_namespaced_persistent_volume_claim(namespace, claim)

    def refers_to(name: str, priority_class: str) -> dict[str, Check]:
        volumes = [{"name": "cache", "mount_path": "/cache", "claim": name}]
        sources = [{"config_map": name}, {"secret": name}]
        return checks(namespace, service_account=name, env_from=sources, volumes=volumes, priority_class=priority_class)

    fine = refers_to("there", "system-node-critical")
    assert {one for one, check in fine.items() if not check.passed} == {"Airflow", "Airflow's way to the cluster"}
    assert {"Secret there", "Config map there", "Service account there", "Volume claim there"} <= fine.keys()
    kinds = ("Secret", "Config map", "Service account", "Volume claim", "Priority class")
    missing = refers_to("gone", "gone")
    refused = {one for one, check in missing.items() if check.passed is False}
    assert refused == {"Airflow", *(f"{kind} gone" for kind in kinds)}
    assert missing["Secret gone"].message == f"The namespace '{namespace}' has none: the pod would not start."


def test_a_pod_that_no_node_can_take_is_told_before_it_waits(namespace: str) -> None:
    assert checks(namespace)["Nodes"].message == "1 of 1 nodes could take the pod when empty."
    large = checks(namespace, **LARGE)["Nodes"]
    assert large.passed is False
    assert large.message.startswith("The pod asks for cpu 900, ")
    elsewhere = checks(namespace, node_selector={"pool": "none-such"})["Nodes"]
    assert (elsewhere.passed, elsewhere.message) == (False, "No node has the labels pool=none-such.")


def test_what_preflight_says_of_quota_and_limit_range_is_what_the_api_server_does(
    cluster: Cluster, namespace: str
) -> None:
    quota: Any = {"metadata": {"name": "small"}, "spec": {"hard": {"requests.memory": "1Gi", "limits.cpu": "1"}}}
    limits: Any = {
        "metadata": {"name": "modest"},
        "spec": {"limits": [{"type": "Container", "max": {"memory": "512Mi"}}]},
    }
    cluster.core.create_namespaced_resource_quota(namespace, quota)

    def quota_check(**parameters: Any) -> tuple[bool | None, str]:
        found = checks(namespace, **parameters)["Quota"]
        return found.passed, found.message

    until(lambda: cluster.core.read_namespaced_resource_quota("small", namespace).status.hard, "the quota counts")  # type: ignore[union-attr]
    assert quota_check(cpu_limit="500m") == (True, "Enough is left.")
    silent = "The quota 'small' counts limits.cpu, so every pod has to say it, and this one does not."
    assert quota_check() == (False, silent)
    assert "must specify limits.cpu" in why_refused(cluster, namespace, requests={"memory": "64Mi"})
    greedy = quota_check(cpu_limit="500m", memory_request="2Gi")
    assert greedy == (False, "The quota 'small' leaves 1073741824 of requests.memory, the pod needs more.")
    asked = {"requests": {"memory": "2Gi"}, "limits": {"cpu": "500m"}}
    assert "exceeded quota: small" in why_refused(cluster, namespace, **asked)

    cluster.core.create_namespaced_limit_range(namespace, limits)
    beyond = checks(namespace, cpu_limit="500m", memory_request="768Mi")["Limit range"]
    assert (beyond.passed, beyond.message) == (False, "The limit range 'modest' allows at most 512Mi of memory.")
    asked = {"requests": {"memory": "768Mi"}, "limits": {"cpu": "500m", "memory": "768Mi"}}
    assert "maximum memory usage per Container is 512Mi" in why_refused(cluster, namespace, **asked)


def test_what_the_console_may_not_look_at_is_unknown_and_no_refusal(namespace: str) -> None:
    few = checks(namespace, seen_by=FEW_RIGHTS, service_account="gone", image_pull_secrets=["gone"])
    assert passed(few) | {"Airflow": None} == {
        "Cluster": True,
        "Namespace": None,
        "Rights to watch": True,
        "Right to create pods": None,
        "Secret gone": None,
        "Service account gone": None,
        "Nodes": None,
        "Quota": None,
        "Limit range": None,
        "Image": True,
        "Airflow": None,
        "Airflow's way to the cluster": None,
    }
    assert few["Secret gone"].message == "The console may not look whether it exists."
    none = checks(namespace, seen_by=NO_RIGHTS)["Rights to watch"]
    assert none.passed is None
    assert none.message.startswith("The console may not list pods, get pods/log, list events: ")
    assert checks(namespace)["Right to create pods"].passed is True


def test_a_namespace_that_is_missing_is_told_with_how_to_make_it() -> None:
    found = checks("nowhere")["Namespace"]
    assert (found.passed, found.hint) == (False, "kubectl create namespace nowhere")
