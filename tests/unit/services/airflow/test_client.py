"""The facade when Airflow is away, slow, refuses, or answers nonsense; the good path is in tests/stack."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from contracts.published_project import PublishedProject
from services.airflow import Airflow, transport
from services.airflow.tokens import PasswordLogin, TokenSource
from services.errors import BackendRejected, BackendTimeout, BackendUnreachable
from tests.unit.services.airflow.stand_in import StandIn, serving

RUN = {
    "dag_id": "pilothouse__harbour",
    "dag_run_id": "console__1",
    "dag_display_name": "harbour",
    "state": "running",
    "run_type": "manual",
    "run_after": "2026-01-01T00:00:00Z",
    "queued_at": "2026-01-01T00:00:00Z",
    "start_date": "2026-01-01T00:00:05Z",
    "dag_versions": [],
    "triggered_by": "rest_api",
    "conf": {"command": "build"},
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setattr(transport, "_PAUSES", (0.01, 0.01))
    with serving(StandIn(answers=[(200, RUN)])) as stand_in:
        yield stand_in


def airflow(server: StandIn) -> Airflow:
    return Airflow(server.url, TokenSource(PasswordLogin(server.url, "ada", SecretStr("hush"))))


def asked_for_run(server: StandIn) -> Any:
    return airflow(server).dag_run("pilothouse__harbour", "console__1")


def test_a_run_is_told_in_plain_values(server: StandIn) -> None:
    run = asked_for_run(server)
    assert (run.state, run.run_type, run.triggered_by, run.conf) == (
        "running",
        "manual",
        "rest_api",
        {"command": "build"},
    )
    assert run.updated_at == datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "stale", [(401, {"detail": "Token Expired"}), (403, {"detail": "Invalid JWT token"}), (401, "Not authenticated")]
)
def test_a_token_that_is_no_longer_good_is_renewed_once(server: StandIn, stale: tuple[int, Any]) -> None:
    server.answers = [stale, (200, RUN)]
    assert asked_for_run(server) is not None
    assert [token for _, _, token in server.requests] == ["Bearer first", "Bearer second"]


def test_a_token_that_is_never_good_ends_in_a_refusal(server: StandIn) -> None:
    server.answers = [(401, {"detail": "Not authenticated"})]
    with pytest.raises(BackendRejected) as failure:
        asked_for_run(server)
    assert (failure.value.status, failure.value.system, len(server.requests)) == (401, "airflow", 2)
    assert "sign-in" in str(failure.value.hint)


def test_a_lack_of_permission_is_no_reason_to_sign_in_again(server: StandIn) -> None:
    server.answers = [(403, {"detail": "Forbidden"})]
    with pytest.raises(BackendRejected, match="Forbidden") as failure:
        asked_for_run(server)
    assert (server.logins, "role" in str(failure.value.hint)) == (1, True)


def test_one_sign_in_serves_many_calls(server: StandIn) -> None:
    facade = airflow(server)
    for _ in range(3):
        facade.dag_run("pilothouse__harbour", "console__1")
    assert server.logins == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_passing_refusal_is_tried_again(server: StandIn, status: int) -> None:
    server.answers = [(status, {"detail": "later"}), (200, RUN)]
    assert asked_for_run(server).state == "running"


def test_a_busy_database_of_airflow_is_tried_again(server: StandIn) -> None:
    told = "Serious error when handling your request. Check logs for more details - look for ID 54MrHD9J"
    server.answers = [(500, {"detail": {"reason": "Database error", "message": told}}), (200, RUN)]
    assert asked_for_run(server).state == "running"


def test_trying_again_has_an_end(server: StandIn) -> None:
    server.answers = [(503, {"detail": "later"})]
    with pytest.raises(BackendRejected, match="later"):
        asked_for_run(server)
    assert len(server.requests) == 3


def test_an_error_of_airflow_is_not_tried_again(server: StandIn) -> None:
    server.answers = [(500, {"detail": "oops"})]
    with pytest.raises(BackendRejected, match=r"oops \(HTTP 500\)"):
        asked_for_run(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", ["<html>Sign in</html>", "null", {"unexpected": True}, []])
def test_something_that_is_not_airflow_is_a_refusal(server: StandIn, body: Any) -> None:
    server.answers = [(200, body)]
    with pytest.raises(BackendRejected):
        asked_for_run(server)


def test_no_answer_in_time_says_that_it_may_have_happened(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.airflow.client.TIMEOUT", (1.0, 0.1))
    server.pause_seconds = 0.5
    with pytest.raises(BackendTimeout) as failure:
        asked_for_run(server)
    assert "may have been done" in str(failure.value.hint)
    assert len(server.requests) == 1


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.parametrize("signed_in", [True, False])
def test_nobody_there_names_the_address_and_what_to_check(signed_in: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_PAUSES", (0.01, 0.01))
    url = f"http://127.0.0.1:{closed_port()}"
    tokens = TokenSource((lambda: "t") if signed_in else PasswordLogin(url, "ada", SecretStr("hush")))
    with pytest.raises(BackendUnreachable) as failure:
        Airflow(url, tokens).health()
    assert failure.value.system == "airflow"
    assert url in failure.value.message
    assert "PILOTHOUSE_AIRFLOW_URL" in str(failure.value.hint)


@pytest.mark.parametrize("answer", [(401, {"detail": "Token Expired"}), (500, "boom"), (200, "<html>")])
def test_no_secret_is_in_any_message(server: StandIn, answer: tuple[int, Any]) -> None:
    server.answers = [answer]
    with pytest.raises(BackendRejected) as failure:
        asked_for_run(server)
    told = f"{failure.value.message} {failure.value.hint} {failure.value.detail}"
    assert not any(secret in told for secret in ["hush", *server.tokens])


def test_a_run_that_is_there_already_counts_as_started(server: StandIn) -> None:
    server.answers = [(409, {"detail": "Unique constraint violation"})]
    airflow(server).trigger("pilothouse__harbour", "console__1", {})


@pytest.mark.parametrize("status", [400, 404])
def test_a_start_that_airflow_refuses_is_an_error(server: StandIn, status: int) -> None:
    server.answers = [(status, {"detail": "Invalid input for param threads: 0\n\nFailed validating …"})]
    with pytest.raises(BackendRejected) as failure:
        airflow(server).trigger("pilothouse__harbour", "console__1", {})
    assert failure.value.detail == "Invalid input for param threads: 0"


def test_what_is_unknown_to_airflow_is_none_or_empty(server: StandIn) -> None:
    server.answers = [(404, {"detail": "not found"})]
    facade = airflow(server)
    assert facade.dag_run("d", "r") is None
    assert facade.task_tries("d", "r") == []
    chunk = facade.task_log("d", "r", 1, token="here")
    assert (chunk.lines, chunk.token, chunk.complete) == ([], "here", False)
    facade.delete_dag("d")
    facade.fail_dag_run("d", "r", "cancelled")


def test_runs_are_read_page_by_page_and_each_once(server: StandIn) -> None:
    def page(*names: str) -> tuple[int, Any]:
        return 200, {"dag_runs": [{**RUN, "dag_run_id": name} for name in names], "total_entries": 150}

    foreign = {**RUN, "dag_id": "pilothouse_projects", "dag_run_id": "anchor"}
    first, second = page("c", "b"), page("b", "a")
    first[1]["dag_runs"].append(foreign)
    server.answers = [first, second]
    runs = airflow(server).recent_dag_runs(datetime(2026, 1, 1, tzinfo=UTC))
    assert [run.dag_run_id for run in runs] == ["c", "b", "a"]
    assert ["offset=0" in server.requests[0][1], "offset=100" in server.requests[1][1]] == [True, True]


def test_a_link_is_safe_whatever_the_run_id_holds(server: StandIn) -> None:
    link = airflow(server).run_link("pilothouse__harbour", "scheduled__2026-01-01T00:00:00+00:00")
    assert link.endswith("/dags/pilothouse__harbour/runs/scheduled__2026-01-01T00%3A00%3A00%2B00%3A00")


def test_a_project_that_never_appears_is_a_timeout_with_the_import_error(server: StandIn) -> None:
    error = {"import_error_id": 1, "timestamp": RUN["run_after"], "filename": "x.py", "stack_trace": "a\nTypeError: b"}
    server.answers = [(404, {"detail": "no"}), (404, {"detail": "no"}), (200, _errors(error))]
    project = PublishedProject.model_validate({"name": "harbour", "start_date": RUN["run_after"]})
    with pytest.raises(BackendTimeout, match="TypeError: b"):
        airflow(server).wait_until_known(project, timeout_seconds=-1)


def _errors(*errors: Any) -> dict[str, Any]:
    return {"import_errors": list(errors), "total_entries": len(errors)}
