"""States and sentences, from what the systems told."""

import json
from typing import Any

import pytest

from contracts.dbt_api import Outcome
from contracts.operators import OperatorName
from models.run import Invocation, NodeResult, Run
from models.run_state import NodeStatus, RunState
from models.types import now
from services.collector import verdict


def run(**values: Any) -> Run:
    return Run(project="p", dag_id="d", dag_run_id="r", operator=OperatorName.DBT_API, command="build", **values)


def invocation(state: RunState, message: str | None = None) -> Invocation:
    return Invocation(run_id=1, try_number=1, task_id="t", state=state, message=message)


def node(name: str, status: NodeStatus, resource_type: str = "model", message: str | None = None) -> NodeResult:
    return NodeResult(
        invocation_id=1,
        unique_id=f"{resource_type}.p.{name}",
        name=name,
        resource_type=resource_type,
        status=status,
        message=message,
    )


@pytest.mark.parametrize(
    ("airflow", "dbt", "cancelled", "state"),
    [
        ("queued", None, False, RunState.QUEUED),
        ("running", None, False, RunState.STARTING),
        ("running", RunState.STARTING, False, RunState.STARTING),
        ("running", RunState.RUNNING, False, RunState.RUNNING),
        ("running", RunState.SUCCEEDED, False, RunState.RUNNING),
        ("success", RunState.SUCCEEDED, False, RunState.SUCCEEDED),
        ("failed", RunState.FAILED, False, RunState.FAILED),
        ("failed", RunState.RUNNING, True, RunState.CANCELLED),
        ("failed", RunState.CANCELLED, False, RunState.CANCELLED),
        ("success", RunState.SUCCEEDED, True, RunState.SUCCEEDED),
        ("success", RunState.RUNNING, True, RunState.SUCCEEDED),
        ("success", None, True, RunState.CANCELLED),
        ("success", RunState.STARTING, True, RunState.CANCELLED),
        ("success", RunState.CANCELLED, True, RunState.CANCELLED),
        ("a new word of Airflow's", None, False, RunState.STARTING),
    ],
)
def test_airflow_decides_the_end_and_dbt_whether_it_runs(
    airflow: str, dbt: RunState | None, cancelled: bool, state: RunState
) -> None:
    asked = run(cancel_requested_at=now() if cancelled else None)
    assert verdict.state_of(airflow, asked, invocation(dbt) if dbt else None) is state


FAILED_TEST = node("not_null_id", NodeStatus.FAIL, "test", "Got 2 results, configured to fail if != 0")


@pytest.mark.parametrize(
    ("nodes", "sentence"),
    [
        (
            [node("stg", NodeStatus.ERROR, message="Runtime Error in model stg (models/stg.sql)\n  no such column")],
            "model stg failed: no such column",
        ),
        ([FAILED_TEST], "test not_null_id failed: Got 2 results, configured to fail if != 0"),
        ([FAILED_TEST, FAILED_TEST, node("fine", NodeStatus.PASS, "test")], "2 of 3 tests failed"),
        ([FAILED_TEST, node("stg", NodeStatus.ERROR)], "model stg failed (1 more node failed)"),
        ([node("stg", NodeStatus.SUCCESS)], None),
    ],
)
def test_the_nodes_that_failed_are_named(nodes: list[NodeResult], sentence: str | None) -> None:
    assert verdict.why_nodes_failed(nodes) == sentence


@pytest.mark.parametrize(
    ("outcome", "number", "said", "log_error", "sentence"),
    [
        (Outcome.OUT_OF_MEMORY, 9, None, None, "dbt was killed (signal 9), probably out of memory"),
        (None, 9, None, None, "dbt was killed (signal 9), probably out of memory"),
        (None, 15, None, None, "dbt was killed (signal 15)"),
        (Outcome.TIMEOUT, 2, "Stopped after 60 s.", None, "Stopped after 60 s."),
        (Outcome.USAGE_ERROR, None, "usage", "Error: No such option '--x'.", "Error: No such option '--x'."),
        (
            Outcome.USAGE_ERROR,
            None,
            None,
            "Compilation Error in model a (models/a.sql)\n  depends on\n  'b' which was not found",
            "depends on 'b' which was not found",
        ),
        (None, None, None, None, None),
    ],
)
def test_why_dbt_itself_failed(
    outcome: Outcome | None, number: int | None, said: str | None, log_error: str | None, sentence: str | None
) -> None:
    assert verdict.why_invocation_failed(outcome, number, said, log_error) == sentence


def test_what_airflow_itself_says_comes_last() -> None:
    tail = ["2026-01-01T00:00:00Z ERROR Task failed with exception", "AirflowException: The connection is not there"]
    failed = run(state=RunState.FAILED)
    assert verdict.why_over(failed, None, [], tail) == "Airflow: AirflowException: The connection is not there"
    assert verdict.why_over(failed, invocation(RunState.FAILED, "dbt said"), [], tail) == "dbt said"
    assert "no reason" in (verdict.why_over(failed, None, [], []) or "")
    assert "is being read" in (verdict.why_over(failed, invocation(RunState.FAILED), [], []) or "")
    assert verdict.why_over(run(state=RunState.CANCELLED, cancel_requested_by="bo"), None, [], []) == "Cancelled by bo."
    assert verdict.why_over(run(state=RunState.SUCCEEDED), None, [], tail) is None


def test_the_place_in_the_queue_is_told_in_words() -> None:
    assert [verdict.why_queued(position) for position in (None, 1, 2, 3)] == [
        None,
        "Next in the dbt API's queue.",
        "Queued behind 1 other on the dbt API.",
        "Queued behind 2 others on the dbt API.",
    ]


def test_a_run_that_failed_although_dbt_succeeded_says_both() -> None:
    ended = invocation(RunState.SUCCEEDED)
    ended.task_log_complete = True
    said = verdict.why_over(run(state=RunState.FAILED), ended, [], [])
    assert said == "dbt succeeded, but the run did not. Airflow reports the run as failed and gives no reason."


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        ({"code": 403, "message": 'pods is forbidden: User "x" cannot create'}, "airflow-rbac.yaml."),
        ({"code": 403, "message": 'pods "p" is forbidden: exceeded quota: small'}, "or ask for more quota."),
        ({"code": 404, "message": 'namespaces "n" not found', "details": {"kind": "namespaces"}}, "Make the namespace"),
        ({"code": 401, "message": "Unauthorized"}, "renew them."),
        ({"code": 422, "message": 'Pod "p" is invalid'}, ""),
    ],
)
def test_a_cluster_that_refuses_the_pod_says_why_itself_and_we_what_to_do(status: dict[str, Any], hint: str) -> None:
    tail = [
        "2026-01-01T00:00:00Z ERROR Task failed with exception",
        "ForbiddenException: (403)",
        "Reason: Forbidden",
        f"HTTP response body: {json.dumps({'kind': 'Status', **status})}",
    ]
    told = verdict.why_task_failed(tail) or ""
    assert told.startswith(f"the cluster refused the pod: {status['message']}")
    assert hint in told


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (
            "WARNING Container 'base': state='WAITING', reason='ErrImagePull', "
            "message='rpc error: code = Unknown desc = failed to pull image \"localhost/no-such:1\": refused'",
            'The image localhost/no-such:1 cannot be pulled: failed to pull image "localhost/no-such:1": refused',
        ),
        (
            "WARNING Container 'base': state='WAITING', reason='ErrImageNeverPull', "
            "message='Container image \"dbt:1\" is not present with pull policy of Never'",
            "The image dbt:1 is not on the node",
        ),
        (
            "WARNING Pod Event: FailedScheduling - 0/1 nodes are available: 1 Insufficient cpu.",
            "No node can take the pod: 0/1 nodes are available: 1 Insufficient cpu.",
        ),
    ],
)
def test_why_a_pod_never_ran_is_found_in_what_airflows_provider_logs(told: str, said: str) -> None:
    tail = [f"2026-01-01T00:00:00Z {told}", "2026-01-01T00:00:01Z ERROR Task failed with exception"]
    assert (verdict.why_task_failed(tail) or "").startswith(said)


def test_what_google_refuses_is_told_in_its_words_with_what_to_do() -> None:
    tail = [
        "2026-01-01T00:00:00Z ERROR Task failed with exception",
        "Traceback (most recent call last):",
        'PermissionDenied: 403 Required "container.clusters.create" permission(s) for "projects/p". [reason: "IAM"',
        "domain: container.googleapis.com",
    ]
    told = verdict.why_task_failed(tail) or ""
    assert told.startswith('Google refused: Required "container.clusters.create" permission(s) for "projects/p". ')
    assert told.endswith("(roles/container.clusterAdmin).")
