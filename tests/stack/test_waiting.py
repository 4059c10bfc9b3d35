"""Runs that a real Airflow holds back: each says what it waits for, as its page shows it."""

import uuid
from collections.abc import Iterator

import airflow_client.client as rest
import pytest

from models.run import Run
from models.run_state import RunState
from services import projects
from services.airflow import Airflow
from services.projects import ProjectDraft
from services.runs import history, orders
from services.runs.launching import LaunchRequest
from stack.places import ROOT
from tests.stack.consoles import OwnConsole, until

PROJECT, POOL = "runs_that_wait", "one_at_a_time"
MOST_ACTIVE = 4


@pytest.fixture(scope="module")
def narrow(console: OwnConsole) -> Iterator[str]:
    """A project whose runs share a pool of one slot."""
    airflow = Airflow.from_settings()
    pools = rest.PoolApi(airflow._transport.api)
    airflow._transport.call("make a pool", lambda: pools.post_pool(rest.PoolBody(name=POOL, slots=1)))
    source = {"kind": "folder", "path": str(ROOT / "example")}
    projects.create(ProjectDraft(name=PROJECT, owner="ann", source=source, pool=POOL), by="ann")
    for _ in projects.advance(PROJECT):
        pass
    yield PROJECT
    airflow._transport.call("delete the pool", lambda: pools.delete_pool(POOL))


def launch(project: str) -> Run:
    request = LaunchRequest(vars="slow_seconds: 300", select=["+depth_soundings"])
    return orders.launch(project, request, launch_key=uuid.uuid4().hex, by="ann")


def fresh(run: Run) -> Run:
    return history.get_run(run.id or 0)


def comes_to_say(run: Run, state: RunState, message: str) -> None:
    """Wait for exactly this; what is said instead is the failure's text."""
    try:
        until(lambda: (fresh(run).state, fresh(run).message) == (state, message))
    except AssertionError:
        assert (fresh(run).state, fresh(run).message) == (state, message)


def test_a_run_that_waits_says_for_what(narrow: str) -> None:
    first = launch(narrow)
    until(lambda: (fresh(first).state, fresh(first).message) == (RunState.RUNNING, None))
    others = [launch(narrow) for _ in range(MOST_ACTIVE - 1)]
    for run in others:
        comes_to_say(run, RunState.STARTING, f"Waits for a slot of pool '{POOL}': its one slot is used, by {PROJECT}.")
    last = launch(narrow)
    allowed = f"{MOST_ACTIVE} are active, and its DAG allows {MOST_ACTIVE} (max_active_runs)."
    comes_to_say(last, RunState.QUEUED, f"Waits for an earlier run of this project to end: {allowed}")
    for run in (last, *others, first):
        orders.cancel(run.id or 0, by="bo")
    for run in (first, *others, last):
        until(lambda one=run: fresh(one).collected)  # type: ignore[misc]
        assert (fresh(run).state, fresh(run).message) == (RunState.CANCELLED, "Cancelled by bo.")
