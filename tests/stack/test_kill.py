"""`kill -9` in mid-run: after a restart the run ends in a true state, its log whole, once.

The stack stops when one of its processes dies; the restart is the same command again. Of those that have no part in a
run under way several are killed at once.
"""

import os
import signal
import uuid
from pathlib import Path

import pytest

from contracts.dbt_api import InvocationState
from models.project import Step, StepState
from models.run import Invocation, NodeResult, Run
from models.run_state import FROM_DBT_API, NodeStatus, RunState
from services import logs, results
from services.airflow import Airflow
from services.dbt_api import DbtApi
from services.errors import NotFound
from services.projects import advance, get_project, steps_of
from services.runs import history, orders
from services.runs.launching import LaunchRequest
from services.settings import settings
from tests.stack.consoles import until
from tests.stack.harness import Stack
from tests.stack.test_lifecycle import assert_gone

pytestmark = pytest.mark.restarts

PROJECT = "harbour"
AFTER_RESTART_SECONDS = 300


@pytest.fixture
def run_in_the_middle(as_console: Stack) -> int:
    """The number of a run of which some nodes are done and one takes a while."""
    if not as_console.runs:
        as_console.start()
    for _ in advance(PROJECT, from_step=Step.PUBLISHED):  # other tests have published theirs without it
        pass
    assert all(step.state is StepState.DONE for step in steps_of(get_project(PROJECT)))
    request = LaunchRequest(vars="slow_seconds: 12")
    number = orders.launch(PROJECT, request, launch_key=uuid.uuid4().hex, by="ann").id
    assert number is not None
    until(lambda: history.get_run(number).nodes_ok > 3 and _is_slow_node_running(number))
    return number


def _is_slow_node_running(run_id: int) -> bool:
    return any(
        result.name == "depth_soundings" and result.status is NodeStatus.STARTED for result in _results(_last(run_id))
    )


def _results(invocation: Invocation) -> list[NodeResult]:
    assert invocation.id is not None
    return results.node_results(invocation.id)


def _last(run_id: int) -> Invocation:
    return history.invocations_of(run_id)[-1]


@pytest.mark.parametrize(
    "victims",
    [["console", "collector", "airflow-dag-processor"], ["dbt-api"], ["airflow-scheduler"], ["airflow-api-server"]],
    ids="-".join,
)
def test_after_the_death_of_processes_the_run_ends_true(
    as_console: Stack, run_in_the_middle: int, victims: list[str]
) -> None:
    as_console.kill(*victims)
    assert as_console.wait() == 1
    assert any(f"{victim} was killed by SIGKILL; the last lines of" in as_console.printed() for victim in victims)
    assert_gone(as_console)
    as_console.start()
    _ends_true(run_in_the_middle)


def test_a_killed_dbt_is_a_failure_that_says_so(as_console: Stack, run_in_the_middle: int) -> None:
    os.kill(_pid_of_dbt(as_console, _last(run_in_the_middle).task_id), signal.SIGKILL)
    ended = _ends_true(run_in_the_middle)
    assert ended.state is RunState.FAILED
    assert "signal 9" in (ended.message or "")
    by_name = {result.name: result.status for result in _results(_last(run_in_the_middle))}
    assert by_name["depth_soundings"] is NodeStatus.INTERRUPTED


def _pid_of_dbt(stack: Stack, task_id: str) -> int:
    attempt = Path(stack.data) / "dbt_api" / "invocations" / task_id / "1"
    return int((attempt / "dbt.pid").read_text())


def _ends_true(run_id: int) -> Run:
    """The run is over for us as it is for Airflow and the dbt API, and everything is here once."""
    until(lambda: history.get_run(run_id).collected, seconds=AFTER_RESTART_SECONDS)
    run = history.get_run(run_id)
    theirs = Airflow.from_settings().dag_run(run.dag_id, run.dag_run_id)
    assert theirs is not None
    assert run.state in (RunState.SUCCEEDED, RunState.FAILED)
    assert (theirs.state == "success") == (run.state is RunState.SUCCEEDED)
    for invocation in history.invocations_of(run_id):
        _is_whole(invocation)
    assert _last(run_id).state is run.state
    if run.state is RunState.SUCCEEDED:
        assert all(not result.status.is_unfinished_business for result in _results(_last(run_id)))
    return run


def _is_whole(invocation: Invocation) -> None:
    api = DbtApi(settings().dbt_api_url, settings().dbt_api_token.get_secret_value())  # type: ignore[union-attr]
    try:
        theirs = api.invocation(invocation.task_id)
    except NotFound:
        return
    assert theirs.state in (InvocationState.SUCCESS, InvocationState.FAILURE, InvocationState.ABORTED)
    assert FROM_DBT_API[theirs.state] is invocation.state
    assert theirs.log.complete
    assert invocation.log_complete
    kept = logs.path_of(invocation).read_bytes()
    assert len(kept) == theirs.log.bytes == invocation.log_bytes
    assert kept == _whole_log(api, invocation.task_id)
    names = [result.unique_id for result in _results(invocation)]
    assert len(names) == len(set(names))


def _whole_log(api: DbtApi, task_id: str) -> bytes:
    data = b""
    while not (chunk := api.log_chunk(task_id, offset=len(data))).complete or chunk.data:
        data += chunk.data
    return data
