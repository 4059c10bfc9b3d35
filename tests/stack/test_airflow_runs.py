"""Projects and runs through a real Airflow onto a real dbt API, by the two clients that the console uses."""

import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import airflow_client.client as rest
import pytest
from pydantic import SecretStr

from contracts.dbt_api import FolderSource, Invocation, InvocationState
from contracts.names import dag_id_of, invocation_task_id
from contracts.published_project import PublishedProject
from contracts.run_conf import DbtCommand, RunConf
from services import capacity
from services.airflow import Airflow, Capacity, DagRunNews
from services.airflow.tokens import PasswordLogin, TokenSource
from services.capacity import Waiting
from services.dbt_api import DbtApi
from services.errors import BackendRejected, NotFound
from stack.places import ROOT
from tests.stack.harness import Stack

PROJECT = PublishedProject(name="harbour_runs", start_date=datetime(2026, 1, 1, tzinfo=UTC))
DAG_ID = dag_id_of(PROJECT.name)
SEED = RunConf(command=DbtCommand.SEED)
SLOW = RunConf(command=DbtCommand.RUN, select=["tag:slow"], vars={"slow_seconds": 20})
SECONDS = 120


def airflow_of(stack: Stack) -> Airflow:
    login = PasswordLogin(stack.airflow_url, stack.airflow_user, SecretStr(stack.airflow_password))
    return Airflow(stack.airflow_url, TokenSource(login))


def dbt_api_of(stack: Stack) -> DbtApi:
    return DbtApi(stack.dbt_api_url, stack.dbt_api_token)


@pytest.fixture(scope="module")
def airflow(airflow_stack: Stack) -> Airflow:
    return airflow_of(airflow_stack)


@pytest.fixture(scope="module")
def dbt_api(airflow_stack: Stack) -> DbtApi:
    return dbt_api_of(airflow_stack)


@pytest.fixture(scope="module", autouse=True)
def published(airflow: Airflow, dbt_api: DbtApi) -> None:
    dbt_api.register_project(PROJECT.name, FolderSource(path=str(ROOT / "example")))
    publish(airflow, PROJECT)


def publish(airflow: Airflow, *projects: PublishedProject) -> None:
    airflow.publish(list(projects))
    for project in projects:
        airflow.wait_until_known(project)


def start(airflow: Airflow, conf: RunConf | dict[str, Any]) -> str:
    run_id = f"console__{uuid.uuid4()}"
    airflow.trigger(DAG_ID, run_id, conf.model_dump(mode="json") if isinstance(conf, RunConf) else conf)
    return run_id


def until(look: Callable[[], Any]) -> Any:
    """What `look` finds, when it finds something."""
    deadline = time.monotonic() + SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.2)
    return found


def ended(airflow: Airflow, run_id: str) -> DagRunNews:
    def look() -> DagRunNews | None:
        run = airflow.dag_run(DAG_ID, run_id)
        return run if run and run.state in ("success", "failed") else None

    found: DagRunNews = until(look)
    return found


def invocation(dbt_api: DbtApi, run_id: str, try_number: int = 1) -> Invocation | None:
    try:
        return dbt_api.invocation(invocation_task_id(DAG_ID, run_id, "dbt", try_number))
    except NotFound:
        return None


def running(dbt_api: DbtApi, run_id: str, try_number: int = 1) -> Invocation:
    """The invocation, once dbt has begun to talk."""

    def look() -> Invocation | None:
        found = invocation(dbt_api, run_id, try_number)
        return found if found and (found.log.bytes or found.state.is_terminal) else None

    found: Invocation = until(look)
    assert found.state is InvocationState.STARTED
    return found


def whole_log(airflow: Airflow, run_id: str, try_number: int = 1) -> list[str]:
    """The task log as a reader gets it who comes back with the token again and again.

    Airflow gives no token at a log's end, and none before the task has begun to write: the latter is no end.
    """
    lines: list[str] = []
    token: str | None = None
    while True:
        run = airflow.dag_run(DAG_ID, run_id)
        chunk = airflow.task_log(DAG_ID, run_id, try_number, token)
        if not chunk.complete or (run and run.state in ("success", "failed")):
            lines += chunk.lines
            token = chunk.token
            if chunk.complete:
                return lines
        time.sleep(0.1)


def clear(airflow: Airflow, run_id: str) -> None:
    """What a person does with Airflow's own Clear button."""
    body = rest.ClearTaskInstancesBody(dag_run_id=run_id, only_failed=False, dry_run=False, reset_dag_runs=True)
    airflow._transport.call("clear", lambda: airflow._tasks.post_clear_task_instances(DAG_ID, body))


def test_a_run_goes_through_airflow_to_dbt_and_tells_its_log_once(airflow: Airflow, dbt_api: DbtApi) -> None:
    run_id = start(airflow, SEED)
    lines = until(lambda: airflow.task_tries(DAG_ID, run_id)) and whole_log(airflow, run_id)
    assert ended(airflow, run_id).state == "success"
    done = invocation(dbt_api, run_id)
    assert done
    assert (done.state, done.source.dag_run_id, done.command) == (InvocationState.SUCCESS, run_id, ["seed"])
    assert sum("Done. PASS=" in line for line in lines) == 1
    assert sum("START seed file" in line and "calls" in line for line in lines) == 1
    assert [(one.try_number, one.state) for one in airflow.task_tries(DAG_ID, run_id)] == [(1, "success")]


def test_the_same_run_id_twice_is_one_run(airflow: Airflow) -> None:
    run_id = start(airflow, SEED)
    airflow.trigger(DAG_ID, run_id, SEED.model_dump(mode="json"))
    since = datetime.now(UTC) - timedelta(minutes=5)
    assert [run.dag_run_id for run in airflow.recent_dag_runs(since)].count(run_id) == 1
    ended(airflow, run_id)


def test_a_failure_is_told_in_dbts_own_words(airflow: Airflow, dbt_api: DbtApi) -> None:
    run_id = start(airflow, RunConf(vars={"break_on_purpose": True}))
    assert ended(airflow, run_id).state == "failed"
    log = "\n".join(whole_log(airflow, run_id))
    assert "model.harbour.customs_declarations: " in log
    assert "customs_stamp" in log


def test_wrong_values_are_refused_by_airflow_and_unknown_keys_by_the_task(airflow: Airflow, dbt_api: DbtApi) -> None:
    with pytest.raises(BackendRejected, match="threads"):
        start(airflow, {"threads": 0})
    run_id = start(airflow, {"shell": "touch x"})
    assert ended(airflow, run_id).state == "failed"
    assert "dbt was not started" in "\n".join(whole_log(airflow, run_id))
    assert invocation(dbt_api, run_id) is None


def test_a_cancelled_run_stops_dbt(airflow: Airflow, dbt_api: DbtApi) -> None:
    run_id = start(airflow, SLOW)
    running(dbt_api, run_id)
    airflow.fail_dag_run(DAG_ID, run_id, "cancelled by ada")
    until(lambda: (found := invocation(dbt_api, run_id)) and found.state is InvocationState.ABORTED)
    run = ended(airflow, run_id)
    assert (run.state, run.note) == ("failed", "cancelled by ada")


def test_an_invocation_aborted_on_the_dbt_api_ends_the_run(airflow: Airflow, dbt_api: DbtApi) -> None:
    publish(airflow, project := PROJECT.model_copy(update={"retries": 2, "retry_delay_seconds": 0}))
    run_id = start(airflow, SLOW)
    dbt_api.abort(running(dbt_api, run_id).task_id, reason="ada wants it so")
    assert ended(airflow, run_id).state == "failed"
    assert len(airflow.task_tries(DAG_ID, run_id)) == 1, f"{project.retries} retries were not wanted"
    assert "ada wants it so" in "\n".join(whole_log(airflow, run_id))


def test_a_cleared_task_runs_dbt_afresh(airflow: Airflow, dbt_api: DbtApi) -> None:
    run_id = start(airflow, SEED)
    ended(airflow, run_id)
    clear(airflow, run_id)
    until(lambda: (second := invocation(dbt_api, run_id, 2)) and second.state is InvocationState.SUCCESS)
    assert ended(airflow, run_id).state == "success"


def test_a_task_cleared_in_mid_run_stops_dbt_and_runs_it_afresh(airflow: Airflow, dbt_api: DbtApi) -> None:
    run_id = start(airflow, SLOW)
    running(dbt_api, run_id)
    clear(airflow, run_id)
    running(dbt_api, run_id, 2)
    first = invocation(dbt_api, run_id)
    assert first
    assert first.state is InvocationState.ABORTED
    airflow.fail_dag_run(DAG_ID, run_id)
    ended(airflow, run_id)


def test_a_changed_project_is_shown_and_a_broken_one_leaves_it_alone(airflow: Airflow) -> None:
    broken = PublishedProject(name="harbour_broken", start_date=PROJECT.start_date, schedule="99 * * * *")
    changed = PROJECT.model_copy(update={"description": "changed"})
    airflow.publish([broken, changed])
    airflow.wait_until_known(changed)
    with pytest.raises(BackendRejected, match="99"):
        airflow.wait_until_known(broken)
    publish(airflow, PROJECT)
    assert airflow.import_errors() == []


def test_pausing_and_deleting_may_be_repeated(airflow: Airflow) -> None:
    gone = PublishedProject(name="harbour_gone", start_date=PROJECT.start_date)
    publish(airflow, PROJECT, gone)
    for paused in (True, True, False):
        airflow.set_paused(gone.dag_id, paused)
    airflow.publish([PROJECT])
    airflow.delete_dag(gone.dag_id)
    airflow.delete_dag(gone.dag_id)


def test_airflow_tells_its_health_and_its_pools(airflow: Airflow) -> None:
    health = airflow.health()
    assert (health.version, health.problems) == ("3.3.2", [])
    assert "default_pool" in [pool.name for pool in airflow.pools()]


@pytest.fixture
def narrow_pool(airflow: Airflow) -> Iterator[PublishedProject]:
    """The project in a pool of one slot."""
    pools = rest.PoolApi(airflow._transport.api)
    airflow._transport.call("make a pool", lambda: pools.post_pool(rest.PoolBody(name="narrow", slots=1)))
    narrow = PROJECT.model_copy(update={"pool": "narrow"})
    publish(airflow, narrow)
    yield narrow
    publish(airflow, PROJECT)
    airflow._transport.call("delete the pool", lambda: pools.delete_pool("narrow"))


def test_airflow_tells_how_much_of_it_is_in_use_and_what_holds_a_run_back(
    airflow: Airflow, narrow_pool: PublishedProject
) -> None:
    run_ids = [start(airflow, SLOW) for _ in range(2)]

    def held() -> Capacity | None:
        known = airflow.capacity()
        states = {task.state for task in known.tasks if task.pool == "narrow"}
        return known if {"running", "scheduled"} <= states else None

    known: Capacity = until(held)
    for run_id in run_ids:
        airflow.fail_dag_run(DAG_ID, run_id)
    assert (known.scheduler_is_healthy, known.schedulers, known.executors) == (True, 1, ["LocalExecutor"])
    assert known.parallelism is not None
    assert known.parallelism >= known.occupied >= 1
    pool = next(pool for pool in known.pools if pool.name == "narrow")
    assert (pool.slots, pool.open_slots, pool.running + pool.queued, pool.scheduled) == (1, 0, 1, 1)
    limits = next(dag for dag in known.dags if dag.dag_id == DAG_ID)
    assert (limits.is_paused, limits.max_active_runs) == (False, 4)
    said = capacity.why_waiting(Waiting(DAG_ID, "scheduled", pool="narrow"), known)
    assert said == "Waits for a slot of pool 'narrow': its one slot is used, by harbour_runs."
