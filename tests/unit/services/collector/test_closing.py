"""Tries of Airflow's that are no invocations of dbt, and invocations that the dbt API lost."""

from datetime import timedelta

import pytest

from contracts.operators import OperatorName
from models.run import Invocation, NodeResult, Run
from models.run_state import NodeStatus, RunState
from models.types import now
from services import logs, results
from services.airflow import TaskNews
from services.collector import store
from services.collector.airflow_side import _follows_predecessor
from services.collector.closing import close_without_news
from services.database import session
from services.runs import history


@pytest.fixture
def run() -> Run:
    made = Run(
        project="harbour",
        dag_id="d",
        dag_run_id="r",
        operator=OperatorName.DBT_API,
        command="build",
        state=RunState.SUCCEEDED,
        finished_at=now() - timedelta(minutes=1),
        handed_over_at=now(),
    )
    with session() as opened:
        opened.add(made)
    return made


def tried(run: Run, number: int, task_log: bytes, state: RunState = RunState.STARTING) -> Invocation:
    made = Invocation(
        run_id=run.id or 0,
        try_number=number,
        task_id=f"try-{number}",
        state=state,
        log_complete=state.is_terminal,
        task_log_bytes=len(task_log),
        task_log_complete=True,
    )
    with session() as opened:
        opened.add(made)
    logs.append(logs.path_of(made, "airflow"), 0, task_log)
    return made


def asked(number: int) -> TaskNews:
    return TaskNews("success", number, None, now(), now(), None)


def test_a_try_that_followed_its_predecessors_dbt_is_told_as_one_with_it(run: Run) -> None:
    tried(run, 1, b"lost its worker\n", RunState.SUCCEEDED)
    close_without_news(tried(run, 2, b"followed to the end\n"))
    [invocation] = history.invocations_of(run.id or 0)
    text = [row.text for row in logs.open_view(invocation, logs.Query(source="airflow")).rows(0, 9)]
    assert text == ["lost its worker", "followed to the end"]
    with store.writing() as opened:
        assert _follows_predecessor(opened, run, asked(2))
        assert not _follows_predecessor(opened, run, asked(3))


def test_a_try_after_a_failure_is_an_invocation_of_its_own(run: Run) -> None:
    tried(run, 1, b"failed\n", RunState.FAILED)
    with store.writing() as opened:
        assert not _follows_predecessor(opened, run, asked(2))


def test_while_dbt_goes_on_the_next_try_follows_it(run: Run) -> None:
    tried(run, 1, b"lost its worker\n", RunState.RUNNING)
    with store.writing() as opened:
        assert _follows_predecessor(opened, run, asked(2))


def test_an_invocation_that_the_dbt_api_lost_ends_with_what_is_known(run: Run) -> None:
    lost = tried(run, 1, b"", RunState.RUNNING)
    node = NodeResult(
        invocation_id=lost.id or 0, unique_id="model.p.a", name="a", resource_type="model", status=NodeStatus.STARTED
    )
    with session() as opened:
        opened.add(node)
    close_without_news(lost)
    [invocation] = history.invocations_of(run.id or 0)
    assert (invocation.state, invocation.log_complete) == (RunState.SUCCEEDED, True), (
        "as Airflow was told by the dbt API"
    )
    assert invocation.log_end_missing
    assert [one.status for one in results.node_results(lost.id or 0)] == [NodeStatus.INTERRUPTED]


def test_a_try_that_never_reached_the_dbt_api_stays_as_the_only_one(run: Run) -> None:
    with session() as opened:
        opened.get_one(Run, run.id).state = RunState.FAILED
    close_without_news(tried(run, 1, b"2026-01-01T00:00:00Z ERROR The connection is not there\n"))
    [invocation] = history.invocations_of(run.id or 0)
    assert (invocation.state, invocation.log_complete) == (RunState.FAILED, True)
