"""What the collector keeps of Airflow: how it is, and a task log up to a bound; one that is cut says so."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from contracts.operators import OperatorName
from models.run import Invocation, Run
from models.run_state import RunState
from models.types import now
from services import health, logs
from services.airflow import Airflow, TaskNews
from services.airflow.tokens import PasswordLogin, TokenSource
from services.collector.airflow_side import AirflowSide
from services.database import session
from services.settings import settings
from tests.unit.services.airflow.stand_in import StandIn, serving


def test_a_very_long_task_log_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_AIRFLOW_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PILOTHOUSE_AIRFLOW_PASSWORD", "unused")
    monkeypatch.setenv("PILOTHOUSE_TASK_LOG_MEGABYTES", "1")
    settings.cache_clear()
    run = Run(project="p", dag_id="d", dag_run_id="r", operator=OperatorName.KUBERNETES, command="build")
    run.state = RunState.RUNNING
    with session() as opened:
        opened.add(run)
        opened.flush()
        invocation = Invocation(run_id=run.id or 0, try_number=1, task_id="t", task_log_bytes=1 << 20)
        opened.add(invocation)
    logs.append(logs.path_of(invocation, "airflow"), 0, b"x" * ((1 << 20) - 1) + b"\n")
    side = AirflowSide(Airflow.from_settings())
    side._follow_try(run, TaskNews("running", 1, None, now(), None, None))
    with session() as opened:
        kept = opened.get_one(Invocation, invocation.id)
    view = logs.open_view(kept, logs.Query(source="airflow"))
    assert view.complete
    assert [row.level for row in view.rows(0, 9)] == ["info", "warn"]
    assert "Only the first 1 MB" in str(view.rows(1, 1)[0].text)
    assert kept.task_log_bytes == logs.size_of(logs.path_of(kept, "airflow"))


@pytest.mark.parametrize(("word", "is_healthy"), [("healthy", True), ("unhealthy", False), (None, False)])
def test_whether_the_scheduler_lives_is_kept_until_airflow_is_away(word: str | None, is_healthy: bool) -> None:
    good = {"status": "healthy"}
    told = {"metadatabase": good, "scheduler": {"status": word}, "triggerer": good, "dag_processor": good}
    with serving(StandIn(answers=[(200, told), (200, {"version": "3.3.2"})])) as server:
        login = TokenSource(PasswordLogin(server.url, "ada", SecretStr("hush")))
        AirflowSide(Airflow(server.url, login)).check_health()
    known = health.of_system(health.AIRFLOW)
    assert (known.reachable, known.scheduler_is_healthy, known.version) == (True, is_healthy, "3.3.2")
    health.report(health.AIRFLOW, reachable=False, message="It is away.")
    assert health.of_system(health.AIRFLOW).scheduler_is_healthy is None


@pytest.fixture
def unanswered() -> Run:
    """A run whose launch Airflow did not answer in time, a while ago."""
    run = Run(project="p", dag_id="d", dag_run_id="r", operator=OperatorName.KUBERNETES, command="build")
    run.created_at -= timedelta(minutes=1)
    with session() as opened:
        opened.add(run)
    return run


@pytest.mark.parametrize(
    ("answer", "state", "says"),
    [
        ((409, {"detail": "It is there."}), RunState.QUEUED, ""),
        ((403, {"detail": "Not you."}), RunState.FAILED, "Not you"),
    ],
)
def test_a_launch_that_airflow_did_not_take_in_time_is_given_again(
    unanswered: Run, answer: tuple[int, Any], state: RunState, says: str
) -> None:
    missing = (404, {"detail": "No such run."})
    with serving(StandIn(answers=[missing, answer, missing])) as server:
        side = AirflowSide(Airflow(server.url, TokenSource(PasswordLogin(server.url, "ada", SecretStr("hush")))))
        for _ in range(2):
            side._follow(unanswered)
    orders = [(method, path) for method, path, _ in server.requests if method == "POST"]
    assert orders == [("POST", "/api/v2/dags/d/dagRuns")], "once for now"
    with session() as opened:
        run = opened.get_one(Run, unanswered.id)
    assert run.state is state
    assert says in (run.message or "")
