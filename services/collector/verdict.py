"""What a run's state is, and the sentence that says why: pure, from what the systems told."""

import json
import re
from collections.abc import Iterable, Sequence

from contracts.dbt_api import Outcome
from models.run import Invocation, NodeResult, Run
from models.run_state import FROM_AIRFLOW_DAG_RUN, NodeStatus, RunState
from services.clusters.refusals import hint_for as hint_of_cluster
from services.clusters.words import of_waiting
from services.google.refusals import hint_for

_LONGEST = 500
_NOTHING_DONE = (RunState.STARTING, RunState.QUEUED, RunState.CANCELLED)
"""Of an invocation, when its run was cancelled: dbt never began, or was stopped."""
_DATA_TESTS = ("test", "unit_test")
_HEADER = re.compile(r"^\s*[A-Z][A-Za-z ]*Error( in [^\n]*)?\n\s*(?=\S)")
_KUBERNETES_STATUS = re.compile(r'HTTP response body: (\{.*"kind":\s*"Status".*\})')
_GOOGLE_ERROR = re.compile(r"^[A-Z][A-Za-z]+: (?P<status>[45]\d\d) (?P<words>\S.*?)(?: \[.*)?$")
"""As google.api_core words its exceptions; details follow in brackets."""
_WAITING_CONTAINER = re.compile(
    r"Container '[\w-]+': state='WAITING', reason='(?P<reason>\w+)', message='(?P<message>.*)'$"
)
_UNSCHEDULABLE = re.compile(r" WARNING Pod Event: FailedScheduling - (?P<message>.+)$")
_TASK_ERROR = re.compile(
    r"^\S+ (?:ERROR|CRITICAL) (?:\[dbt\] )?(?P<text>.+)$|^(?P<raised>[\w.]*(?:Exception|Error|Failed|Fail)): .+$"
)


def state_of(dag_run_state: str, run: Run, newest: Invocation | None) -> RunState:
    """The run's state: Airflow decides whether it is over, dbt decides whether it runs."""
    state = FROM_AIRFLOW_DAG_RUN.get(dag_run_state, RunState.STARTING)
    if state is RunState.SUCCEEDED and run.cancel_requested_at and (newest is None or newest.state in _NOTHING_DONE):
        return RunState.CANCELLED  # Airflow calls it a success when dbt was skipped and what follows it went well
    if state is RunState.FAILED and (run.cancel_requested_at or (newest and newest.state is RunState.CANCELLED)):
        return RunState.CANCELLED
    if state is RunState.STARTING and newest and newest.state not in (RunState.STARTING, RunState.QUEUED):
        return RunState.RUNNING
    return state


def why_over(
    run: Run, newest: Invocation | None, nodes: Sequence[NodeResult], task_log_tail: Iterable[str]
) -> str | None:
    """Why a run ended as it did; None when there is nothing to say."""
    if run.state is RunState.CANCELLED:
        return f"Cancelled by {run.cancel_requested_by}." if run.cancel_requested_by else "Cancelled."
    if run.state is not RunState.FAILED:
        return None
    failed = why_nodes_failed(nodes)
    if failed or (newest and newest.message):
        return failed or (newest.message if newest else None)
    said = why_task_failed(task_log_tail)
    airflow = f"Airflow: {said}" if said else f"Airflow reports the run as failed{_why_unknown(newest)}."
    return (
        f"dbt succeeded, but the run did not. {airflow}" if newest and newest.state is RunState.SUCCEEDED else airflow
    )


def _why_unknown(newest: Invocation | None) -> str:
    is_read = newest is None or newest.task_log_complete
    return " and gives no reason" if is_read else "; its log of the task is being read"


def why_nodes_failed(nodes: Sequence[NodeResult]) -> str | None:
    """Which nodes failed: a model's error says more than the tests that fail with it."""
    tests = [node for node in nodes if node.resource_type in _DATA_TESTS]
    failed_tests = [node for node in tests if node.status is NodeStatus.FAIL]
    errors = [node for node in nodes if node.status.is_bad and node not in failed_tests]
    if errors:
        others = len(errors) + len(failed_tests) - 1
        more = f" ({others} more {'node' if others == 1 else 'nodes'} failed)" if others else ""
        return f"{_failure_of(errors[0])}{more}"
    if len(failed_tests) == 1:
        return _failure_of(failed_tests[0])
    return f"{len(failed_tests)} of {len(tests)} tests failed" if failed_tests else None


def _failure_of(node: NodeResult) -> str:
    said = short(_HEADER.sub("", node.message or ""))
    return f"{node.resource_type.replace('_', ' ')} {node.name} failed" + (f": {said}" if said else "")


def short(text: str) -> str:
    """A message on one line, of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def why_invocation_failed(
    outcome: Outcome | None, signal: int | None, said: str | None, log_error: str | None
) -> str | None:
    """Why dbt itself failed, where no node did."""
    if outcome is Outcome.OUT_OF_MEMORY or (signal == 9 and outcome is not Outcome.ABORTED):
        return "dbt was killed (signal 9), probably out of memory"
    if outcome is Outcome.WORKER_LOST:
        return short(said) if said else "The dbt API lost the process in which dbt ran."
    if outcome is Outcome.TIMEOUT:
        return short(said) if said else "dbt ran longer than its time limit allows and was stopped."
    if signal is not None:
        return f"dbt was killed (signal {signal})"
    reason = log_error or said
    return short(_HEADER.sub("", reason)) if reason else None


def why_task_failed(task_log_tail: Iterable[str]) -> str | None:
    """The last thing that Airflow's task log calls an error, or what a cluster answered when it refused the pod."""
    found = None
    for line in task_log_tail:
        if told := _refused_by_cluster(line) or _refused_by_google(line) or _never_ran(line):
            return told
        if match := _TASK_ERROR.match(line):
            found = match["text"] or line
    return short(found) if found else None


def _never_ran(line: str) -> str | None:
    """Why a pod could not start, as Airflow's provider logs it before it deletes the pod (log_events_on_failure)."""
    if match := _UNSCHEDULABLE.search(line):
        return short(f"No node can take the pod: {match['message']}")
    if not (match := _WAITING_CONTAINER.search(line)):
        return None
    named = re.search(r'"([^"]+)"', match["message"])
    told = of_waiting(match["reason"], match["message"], image=named[1] if named else "of the pod")
    return short(told) if told else None


def _refused_by_cluster(line: str) -> str | None:
    """The message of a Status of Kubernetes, as its client puts it into an exception, and what to do about it."""
    try:
        status = json.loads(match[1]) if (match := _KUBERNETES_STATUS.search(line)) else {}
    except ValueError:
        return None
    if not status.get("message"):
        return None
    told = short(f"the cluster refused the pod: {status['message']}")
    hint = hint_of_cluster(status)
    return f"{told.rstrip('.')}. {hint}" if hint else told


def _refused_by_google(line: str) -> str | None:
    """What Google's client raised, in Google's words, and what to do about it."""
    match = _GOOGLE_ERROR.match(line)
    if not match:
        return None
    hint = hint_for(int(match["status"]), match["words"])
    return " ".join(filter(None, [short(f"Google refused: {match['words']}"), hint]))


def why_queued(position: int | None) -> str | None:
    """Where an invocation stands in the dbt API's queue."""
    if position is None:
        return None
    before = position - 1
    return (
        "Next in the dbt API's queue."
        if before <= 0
        else f"Queued behind {before} other{'s' * (before > 1)} on the dbt API."
    )
