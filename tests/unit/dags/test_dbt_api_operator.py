"""The operator against a dbt API on a real socket: what it submits, follows, tells, aborts and never does twice."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("airflow.sdk")

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from contracts.names import invocation_task_id
from contracts.run_conf import RunConf
from dags import dbt_api_operator
from dags.dbt_api_operator import DbtApiOperator
from tests.unit.dags.stand_in import StandIn, Store, TaskInstance, serving

FIRST, SECOND = (invocation_task_id("pilothouse__harbour", "console__1", "dbt", number) for number in (1, 2))
KEY = "invocation_id_0"
DONE = {"state": "SUCCESS", "outcome": "success", "exit_code": 0}
STARTED = {"state": "STARTED"}


@pytest.fixture
def dbt_api(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with serving(StandIn(states=[DONE])) as stand_in:
        connection = {"conn_type": "http", "host": stand_in.url, "login": "pilothouse", "password": "hush"}
        monkeypatch.setenv("AIRFLOW_CONN_PILOTHOUSE_DBT_API", json.dumps(connection))
        yield stand_in


def context(ti: TaskInstance | None = None, store: Store | None = None, **conf: Any) -> dict[str, Any]:
    params = {**RunConf().model_dump(mode="json"), **conf}
    return {"params": params, "ti": ti or TaskInstance(), "task_state_store": Store() if store is None else store}


def operator(**parameters: Any) -> DbtApiOperator:
    return DbtApiOperator(task_id="dbt", project="harbour", parameters=parameters)


def test_it_submits_what_the_run_asks_for(dbt_api: StandIn) -> None:
    given = context(select=["stg_calls+"], threads=2, requested_by="ada", operator_parameters={"priority": 7})
    result = operator(timeout_seconds=600).execute(given)
    (body,) = dbt_api.submitted
    assert body["command"] == ["build", "--select", "stg_calls+", "--threads", "2"]
    assert (body["task_id"], body["project"], body["requested_by"]) == (FIRST, "harbour", "ada")
    assert (body["timeout_seconds"], body["priority"]) == (600, 7)
    assert (body["source"]["kind"], body["source"]["dag_run_id"]) == ("airflow", "console__1")
    assert result == {"invocation_id": FIRST, "outcome": "success", "counts": {}}
    assert given["ti"].xcoms == {"invocation_id": FIRST}


def test_the_id_is_kept_before_the_invocation_is_submitted(dbt_api: StandIn) -> None:
    store, seen = Store(), []
    dbt_api.on_submit = lambda body: seen.append(dict(store))
    operator().execute(context(store=store))
    assert seen == [{KEY: FIRST}]


@pytest.mark.parametrize(
    "wrong",
    [
        {"shell": "rm -rf /"},
        {"command": "fly"},
        {"threads": "many"},
        {"command": "test", "full_refresh": True},
        {"vars": {"password": "x"}},
        {"operator_parameters": {"namespace": "x"}},
        {"operator": "kubernetes"},
    ],
)
def test_a_wrong_run_fails_before_dbt_starts(dbt_api: StandIn, wrong: dict[str, Any]) -> None:
    with pytest.raises(AirflowFailException, match="dbt was not started"):
        operator().execute(context(**wrong))
    assert dbt_api.requests == 0


@pytest.mark.parametrize("left_behind", [[STARTED, DONE], [DONE]])
def test_a_try_after_a_crash_follows_the_invocation_that_was_left(dbt_api: StandIn, left_behind: list[Any]) -> None:
    dbt_api.known, dbt_api.states = {FIRST}, left_behind
    result = operator().execute(context(TaskInstance(try_number=2), Store({KEY: FIRST})))
    assert (dbt_api.submitted, result["invocation_id"]) == ([], FIRST)


def test_a_failure_that_a_crash_left_untold_is_told_and_not_run_again(dbt_api: StandIn) -> None:
    dbt_api.known, dbt_api.states = {FIRST}, [{"state": "FAILURE", "outcome": "model_error", "exc_message": "boom"}]
    with pytest.raises(AirflowException, match="boom"):
        operator().execute(context(TaskInstance(try_number=2), Store({KEY: FIRST})))
    assert dbt_api.submitted == []


def test_a_crash_before_the_submission_submits_once(dbt_api: StandIn) -> None:
    operator().execute(context(TaskInstance(try_number=2), Store({KEY: FIRST})))
    assert [body["task_id"] for body in dbt_api.submitted] == [SECOND]


def test_a_cleared_task_runs_afresh(dbt_api: StandIn) -> None:
    store = Store()
    operator().execute(context(store=store))
    operator().execute(context(TaskInstance(try_number=2, max_tries=1), store))
    assert [body["task_id"] for body in dbt_api.submitted] == [FIRST, SECOND]


def test_a_retry_after_a_failure_runs_afresh(dbt_api: StandIn) -> None:
    store = Store()
    dbt_api.states = [{"state": "FAILURE", "outcome": "model_error", "exc_message": "model.x: no such column"}]
    with pytest.raises(AirflowException, match=r"model_error\): model.x: no such column") as failure:
        operator().execute(context(store=store))
    assert not isinstance(failure.value, AirflowFailException)
    dbt_api.states = [DONE]
    operator().execute(context(TaskInstance(try_number=2), store))
    assert [body["task_id"] for body in dbt_api.submitted] == [FIRST, SECOND]


@pytest.mark.parametrize(
    "ending",
    [
        {"state": "ABORTED", "outcome": "aborted", "exc_message": "ada stopped it"},
        {"state": "FAILURE", "outcome": "usage_error", "exc_message": "no such option"},
    ],
)
def test_an_abort_or_a_wrong_use_of_dbt_is_not_retried(dbt_api: StandIn, ending: dict[str, Any]) -> None:
    dbt_api.states = [ending]
    with pytest.raises(AirflowFailException, match=ending["exc_message"]):
        operator().execute(context())


def test_an_internal_error_ends_the_wait(dbt_api: StandIn) -> None:
    dbt_api.states = [{"state": "INTERNAL_ERROR"}]
    with pytest.raises(AirflowException, match="INTERNAL_ERROR"):
        operator().execute(context())


def test_an_invocation_that_vanishes_ends_the_wait(dbt_api: StandIn) -> None:
    dbt_api.forgetful = True
    with pytest.raises(AirflowException, match="no invocation"):
        operator().execute(context())


@pytest.mark.parametrize("refusals", [[503], [429], [500, 502]])
def test_it_outlives_a_dbt_api_that_is_away(dbt_api: StandIn, refusals: list[int]) -> None:
    dbt_api.refusals = refusals
    assert operator().execute(context())["outcome"] == "success"
    assert len(dbt_api.submitted) == 1


def test_a_refusal_is_final(dbt_api: StandIn) -> None:
    dbt_api.refusals = [401]
    with pytest.raises(AirflowException, match="token"):
        operator().execute(context())
    assert dbt_api.requests == 1


def test_an_outage_ends_with_the_time_for_it(dbt_api: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbt_api_operator, "OUTAGE_SECONDS", 1)
    dbt_api.refusals = [503] * 50
    with pytest.raises(AirflowException, match="not now"):
        operator().execute(context())


def test_the_secret_is_in_no_message(dbt_api: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    dbt_api.refusals = [503, 403]
    with pytest.raises(AirflowException) as failure:
        operator().execute(context())
    assert "hush" not in caplog.text + str(failure.value)


@pytest.mark.parametrize("broken", [{"host": ""}, {"password": ""}])
def test_an_incomplete_connection_is_named(monkeypatch: pytest.MonkeyPatch, broken: dict[str, str]) -> None:
    connection = {"conn_type": "http", "host": "http://dbt", "password": "hush", **broken}
    monkeypatch.setenv("AIRFLOW_CONN_PILOTHOUSE_DBT_API", json.dumps(connection))
    with pytest.raises(AirflowFailException, match="pilothouse_dbt_api"):
        operator().execute(context())


def line(message: str, level: str = "info", name: str = "x", **data: Any) -> bytes:
    return json.dumps({"info": {"msg": message, "level": level, "name": name}, "data": data}).encode() + b"\n"


@pytest.mark.parametrize("chunk_bytes", [7, 60, 1 << 20])
def test_the_log_is_copied_whole_and_without_debug(
    dbt_api: StandIn, caplog: pytest.LogCaptureFixture, chunk_bytes: int
) -> None:
    caplog.set_level(logging.DEBUG, logger="dbt")
    dbt_api.chunk_bytes = chunk_bytes
    stats = {"pass": 3, "error": 1}
    dbt_api.log = line("Läuft") + line("hidden", "debug") + line("careful", "warn") + line("bad", "error")
    dbt_api.log += line("Done.", name="StatsLine", stats=stats) + b"Traceback of something else"
    result = operator().execute(context())
    told = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "dbt"]
    assert told == [
        ("INFO", "Läuft"),
        ("WARNING", "careful"),
        ("ERROR", "bad"),
        ("INFO", "Done."),
        ("INFO", "Traceback of something else"),
    ]
    assert result["counts"] == stats


def killed_while_running(dbt_api: StandIn, given: dict[str, Any]) -> AirflowException:
    """Run the task and let Airflow ask it to end when dbt has started."""
    task = operator()
    dbt_api.states = [STARTED]
    dbt_api.on_submit = lambda body: task.on_kill()
    with pytest.raises(AirflowException) as failure:
        task.execute(given)
    return failure.value


@pytest.mark.parametrize("state", ["failed", "success", "restarting", "running"])
def test_a_killed_task_aborts_its_invocation(dbt_api: StandIn, state: str) -> None:
    killed_while_running(dbt_api, context(TaskInstance(state=state)))
    assert dbt_api.aborted


@pytest.mark.parametrize("state", [None, "scheduled", "queued", "up_for_retry"])
def test_dbt_is_left_to_a_next_try_that_will_follow_it(dbt_api: StandIn, state: str | None) -> None:
    failure = killed_while_running(dbt_api, context(TaskInstance(state=state)))
    assert dbt_api.aborted == []
    assert "goes on" in str(failure)


def test_dbt_is_left_to_a_next_try_that_runs_already(dbt_api: StandIn) -> None:
    store = Store()
    store.get = lambda key, default=None: None  # type: ignore[method-assign]
    killed_while_running(dbt_api, context(TaskInstance(state="running"), store))
    assert dbt_api.aborted == []


def test_a_kill_before_anything_was_submitted_is_harmless() -> None:
    operator().on_kill()
