"""What happens to a pod, in words; the statuses are as a real cluster gave them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.dbt_api import Outcome
from services.clusters.news import PodEvent, PodNews, pod_news
from services.clusters.words import DELETED, how_it_ended, masked, steps_of, why_waiting


def pod(*statuses: dict[str, Any], node: str | None = "node1", deleted: bool = False, **status: Any) -> PodNews:
    metadata: dict[str, Any] = {
        "name": "dbt-x",
        "namespace": "ns",
        "uid": "u",
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    if deleted:
        metadata |= {"deletionTimestamp": "2026-01-01T00:01:00Z", "deletionGracePeriodSeconds": 30}
    containers = [{"name": "base", "image": "dbt:1", "env": [{"name": "A", "value": "b"}, {"name": "C"}]}]
    spec = {"containers": containers, "nodeName": node, "activeDeadlineSeconds": 60}
    return pod_news({"metadata": metadata, "spec": spec, "status": {"containerStatuses": [*statuses], **status}})


def base(**state: Any) -> dict[str, Any]:
    return {"name": "base", "image": "dbt:1", "state": state}


UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 Insufficient cpu.",
}
TERMINATED = {"startedAt": "2026-01-01T00:00:10Z", "finishedAt": "2026-01-01T00:00:20Z"}


@pytest.mark.parametrize(
    ("seen", "said", "is_problem"),
    [
        (pod(node=None, conditions=[UNSCHEDULABLE]), "No node can take the pod: 0/1 nodes are available", True),
        (pod(base(waiting={"reason": "ErrImageNeverPull"})), "dbt:1 is not on the node", True),
        (pod(base(waiting={"reason": "ImagePullBackOff", "message": "Back-off"})), "cannot be pulled: Back-off", True),
        (
            pod(base(waiting={"reason": "CreateContainerConfigError", "message": 'secret "x" not found'})),
            'secret "x" not found',
            True,
        ),
        (pod(node=None), "waits to be put on a node", False),
        (pod(base(waiting={"reason": "ContainerCreating"})), "on node node1", False),
    ],
)
def test_a_pod_that_has_not_started_says_why(seen: PodNews, said: str, is_problem: bool) -> None:
    waiting = why_waiting(seen)
    assert waiting is not None
    assert said in waiting.text
    assert waiting.is_problem is is_problem


def test_a_pod_that_runs_waits_for_nothing() -> None:
    assert why_waiting(pod(base(running={"startedAt": "2026-01-01T00:00:10Z"}))) is None
    assert how_it_ended(pod(base(running={})), memory_limit=None) is None


def test_a_warning_says_why_a_pod_does_not_start_unless_it_is_harmless() -> None:
    seen = pod(base(waiting={"reason": "ContainerCreating"}))
    mount = PodEvent("FailedMount", 'MountVolume.SetUp failed: secret "x" not found', True, None, 3)
    dns = PodEvent("MissingClusterDNS", "no DNS", True, None, 1)
    told = [why_waiting(seen, [dns]), why_waiting(seen, [mount, dns])]
    assert [one.is_problem for one in told if one] == [False, True]


@pytest.mark.parametrize(
    ("seen", "outcome", "said"),
    [
        (pod(base(terminated={"exitCode": 0, **TERMINATED}), phase="Succeeded"), Outcome.SUCCESS, None),
        (pod(base(terminated={"exitCode": 1, **TERMINATED}), phase="Failed"), Outcome.MODEL_ERROR, None),
        (pod(base(terminated={"exitCode": 2, **TERMINATED}), phase="Failed"), Outcome.USAGE_ERROR, None),
        (pod(base(terminated={"exitCode": 137, "reason": "OOMKilled"})), Outcome.OUT_OF_MEMORY, "limit of 128Mi"),
        (pod(base(terminated={"exitCode": 137, "reason": "Error"})), Outcome.OUT_OF_MEMORY, "limit of 128Mi"),
        (pod(base(terminated={"exitCode": 2}), deleted=True), Outcome.WORKER_LOST, DELETED),
        (pod(phase="Failed", reason="DeadlineExceeded"), Outcome.TIMEOUT, "deadline of 60 s"),
        (pod(phase="Failed", reason="Evicted", message="low on disk"), Outcome.WORKER_LOST, "evicted the pod: low"),
        (pod(base(terminated={"exitCode": 127})), Outcome.USAGE_ERROR, "no dbt"),
    ],
)
def test_a_pod_that_ended_says_how(seen: PodNews, outcome: Outcome, said: str | None) -> None:
    ending = how_it_ended(seen, memory_limit="128Mi")
    assert ending is not None
    assert ending.outcome is outcome
    assert ending.text is None if said is None else said in (ending.text or "")


def test_its_story_is_in_order_and_leaves_out_what_is_harmless() -> None:
    events = [PodEvent("MissingClusterDNS", "no DNS", True, None, 1), PodEvent("Pulled", "present", False, None, 1)]
    steps = steps_of(pod(base(terminated={"exitCode": 1, "reason": "Error", **TERMINATED})), events)
    titles = [step["title"] for step in steps]
    assert titles[-2:] == ["dbt started", "dbt ended"]
    assert "MissingClusterDNS" not in titles
    assert steps[-1]["is_warning"]


def test_what_ended_a_pod_is_in_its_story_although_kubernetes_calls_it_a_normal_event() -> None:
    passed = PodEvent("DeadlineExceeded", "active too long", False, datetime(2026, 1, 1, 0, 1, tzinfo=UTC), 1)
    step = steps_of(pod(phase="Failed", reason="DeadlineExceeded"), [passed])[-1]
    assert (step["title"], step["text"], step["is_warning"]) == ("DeadlineExceeded", "active too long", True)
    assert steps_of(pod(), [passed])[-1]["title"] == "Created"


def test_a_deletion_was_asked_for_before_the_grace_period_that_kubernetes_adds() -> None:
    assert steps_of(pod(deleted=True), [])[-1]["at"] == "2026-01-01T00:00:30Z"


def test_within_one_second_its_story_goes_as_a_pod_goes() -> None:
    second = "2026-01-01T00:00:00Z"
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": second}
    ran = base(terminated={"exitCode": 0, "startedAt": second, "finishedAt": second})
    pulled = PodEvent("Pulled", "present", False, datetime(2026, 1, 1, tzinfo=UTC), 1)
    titles = [step["title"] for step in steps_of(pod(ran, conditions=[scheduled]), [pulled])]
    assert titles == ["Created", "Scheduled", "Pulled", "dbt started", "dbt ended"]


def test_values_of_variables_are_hidden_names_and_references_are_not() -> None:
    [container] = masked(pod().spec)["containers"]
    assert container["env"] == [{"name": "A", "value": "••••••"}, {"name": "C"}]
