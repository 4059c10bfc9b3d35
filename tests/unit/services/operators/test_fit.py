"""Whether a pod fits a cluster; the JSON is as Kubernetes gives it."""

import re
from typing import Any

import pytest

from contracts.operators import KubernetesParameters
from services.operators._fit import limit_ranges_check, nodes_check, quota_check, security_check

TAINT = {"key": "dedicated", "value": "dbt", "effect": "NoSchedule"}


def pod(**values: Any) -> KubernetesParameters:
    return KubernetesParameters.model_validate(values)


def node(*taints: dict[str, str], cordoned: bool = False, ready: str = "True", **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "node1", "labels": labels},
        "spec": {"taints": [*taints], **({"unschedulable": True} if cordoned else {})},
        "status": {
            "conditions": [{"type": "Ready", "status": ready}],
            "allocatable": {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "20Gi", "pods": "110"},
        },
    }


def quota(hard: dict[str, str], used: dict[str, str] | None = None) -> dict[str, Any]:
    return {"metadata": {"name": "team"}, "status": {"hard": hard, "used": used or {}}}


@pytest.mark.parametrize(
    ("nodes", "parameters", "said"),
    [
        ([], {}, "has no node"),
        ([node()], {"node_selector": {"pool": "dbt"}}, "labels pool=dbt"),
        ([node(cordoned=True), node(ready="Unknown")], {}, "None of 2 nodes is ready"),
        ([node(TAINT)], {}, "by a taint: dedicated=dbt:NoSchedule"),
        ([node(TAINT)], {"tolerations": [{"key": "dedicated", "value": "other"}]}, "by a taint"),
        ([node()], {"cpu_request": "3"}, "asks for cpu 3, .* offers cpu 2"),
        ([node()], {"memory_request": None, "memory_limit": "8Gi"}, "asks for .*memory 8589934592"),
    ],
)
def test_a_pod_that_no_node_takes_says_why(nodes: list[Any], parameters: dict[str, Any], said: str) -> None:
    check = nodes_check(nodes, pod(**parameters))
    assert check.passed is False
    assert re.search(said, check.message), check.message
    assert check.hint


@pytest.mark.parametrize(
    "toleration",
    [
        {"key": "dedicated", "value": "dbt", "effect": "NoSchedule"},
        {"key": "dedicated", "operator": "Exists"},
        {"operator": "Exists"},
    ],
)
def test_a_tolerated_taint_keeps_no_pod_away(toleration: dict[str, str]) -> None:
    assert nodes_check([node(TAINT)], pod(tolerations=[toleration])).passed
    assert nodes_check([node({**TAINT, "effect": "PreferNoSchedule"})], pod()).passed


@pytest.mark.parametrize(
    ("hard", "used", "said"),
    [
        ({"requests.memory": "1Gi"}, {"requests.memory": "768Mi"}, "leaves 268435456 of requests.memory"),
        ({"pods": "3"}, {"pods": "3"}, "leaves 0 of pods"),
        ({"limits.memory": "1Gi"}, {}, "leaves 1073741824 of limits.memory"),
        ({"limits.cpu": "4"}, {}, "counts limits.cpu, so every pod has to say it"),
    ],
)
def test_a_quota_that_is_used_up_or_asks_for_more_says_so(
    hard: dict[str, str], used: dict[str, str], said: str
) -> None:
    check = quota_check([quota(hard, used)], pod())
    assert check.passed is False
    assert said in check.message


def test_a_quota_with_room_lets_the_pod_in() -> None:
    room = quota({"requests.cpu": "4", "limits.memory": "8Gi", "pods": "10", "services": "1"}, {"services": "1"})
    assert quota_check([room], pod()).passed
    assert quota_check([], pod()).message == "The namespace has no quota."


@pytest.mark.parametrize(
    ("rule", "passed"),
    [
        ({"type": "Container", "max": {"memory": "1Gi"}}, False),
        ({"type": "Pod", "min": {"cpu": "500m"}}, False),
        ({"type": "Container", "max": {"memory": "4Gi"}, "min": {"cpu": "100m"}}, True),
        ({"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}, True),
    ],
)
def test_a_limit_range_bounds_a_single_pod(rule: dict[str, Any], passed: bool) -> None:
    assert limit_ranges_check([{"metadata": {"name": "sizes"}, "spec": {"limits": [rule]}}], pod()).passed is passed


def test_pod_security_is_kept() -> None:
    def namespace(level: str) -> dict[str, Any]:
        return {"metadata": {"name": "dbt", "labels": {"pod-security.kubernetes.io/enforce": level}}}

    host = pod(volumes=[{"name": "disk", "mount_path": "/disk", "host_path": "/srv"}])
    assert security_check({"metadata": {"name": "dbt"}}, host).passed
    assert security_check(namespace("baseline"), host).passed is False
    assert security_check(namespace("restricted"), pod()).passed is False
    assert security_check(namespace("restricted"), pod(security="restricted", run_as_user=1000)).passed
