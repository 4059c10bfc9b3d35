"""`/api/v1/invocations`, through the client that console and Airflow use."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.dbt_api import InvocationState, Outcome, SubmitInvocation
from services.dbt_api import DbtApi
from services.errors import BackendRejected, BackendUnreachable, NotFound
from tests.ports import free_ports
from tests.unit.dbt_api.server import TOKEN, Server, eventually

SLOW = ["run", "--select", "slow", "--vars", '{"slow_ms": 600000}']


@pytest.fixture
def client(server: Server) -> Iterator[DbtApi]:
    with DbtApi(server.url, TOKEN) as opened:
        yield opened


def submit(client: DbtApi, task_id: str, *command: str, **more: Any) -> None:
    client.submit(SubmitInvocation(task_id=task_id, project="shop", command=list(command), **more))


def test_an_invocation_from_its_start_to_its_artifacts(client: DbtApi, server: Server) -> None:
    submit(client, "whole", "run", "--select", "orders")
    server.ended("whole")
    ended = client.invocation("whole", wait_seconds=20)
    assert (ended.state, ended.outcome, ended.dbt_version) == (InvocationState.SUCCESS, Outcome.SUCCESS, "1.12.6")
    assert ended.peak_rss_kb
    names = {each.name for each in ended.artifacts}
    assert {"manifest.json", "run_results.json", "compiled/shop/models/orders.sql"} <= names
    assert client.artifact("whole", "compiled/shop/models/orders.sql") == b"select 1 as id"
    for name in ("../events.jsonl", "../../../../dbt_api.db", "/etc/passwd", "nope"):
        with pytest.raises(NotFound):
            client.artifact("whole", name)

    log, complete = b"", False
    while not complete:
        chunk = client.log_chunk("whole", offset=len(log), max_bytes=10_000)
        log, complete = log + chunk.data, chunk.complete
    assert len(log) == ended.log.bytes
    assert b"CommandCompleted" in log
    assert client.log_chunk("whole", offset=len(log)).data == b""


def test_submitting_again_is_the_same_and_other_words_are_a_conflict(client: DbtApi, server: Server) -> None:
    submit(client, "again", "ls")
    submit(client, "again", "ls")
    with pytest.raises(BackendRejected) as refused:
        submit(client, "again", "ls", "--select", "orders")
    assert refused.value.status == 409
    replay = server.call("POST", "/api/v1/invocations", json={"task_id": "again", "project": "shop", "command": ["ls"]})
    assert (replay.status_code, replay.headers["Idempotent-Replay"]) == (200, "true")
    server.ended("again")


def assert_interrupted(ended: dict[str, Any]) -> None:
    """We neither terminated nor killed dbt.

    DuckDB may still abort (SIGABRT): dbt closes its connection while the query is being cancelled when the interrupt
    came just before the query.
    """
    assert ended["signal"] not in (signal.SIGTERM, signal.SIGKILL), "dbt was interrupted, not killed"


def test_one_writer_at_a_time_abort_of_both_and_a_queue_position(client: DbtApi, server: Server) -> None:
    """Peer defects D5, D11 and D18: an aborted one ran all the same; two ran on one target; no results were kept."""
    submit(client, "first", *SLOW)
    server.sleeping("first")
    submit(client, "second", "run", "--select", "orders")
    waiting = client.invocation("second")
    assert (waiting.state, waiting.queue_position, waiting.log.bytes) == (InvocationState.PENDING, 1, 0)
    assert client.log_chunk("second", offset=0).data == b""

    aborted = client.abort("second", reason="not needed")
    assert (aborted.state, aborted.exc_message) == (InvocationState.ABORTED, "not needed")
    client.abort("first", reason="stop")
    ended = server.ended("first")
    assert (ended["state"], ended["outcome"], ended["exc_message"]) == ("ABORTED", "aborted", "stop")
    assert_interrupted(ended)
    assert "run_results.json" in {each["name"] for each in ended["artifacts"]}
    assert client.invocation("second").state is InvocationState.ABORTED
    assert client.invocation("second").attempt == 0


@pytest.mark.parametrize("number", range(3))
def test_an_abort_just_before_a_query_stops_it_too(client: DbtApi, server: Server, number: int) -> None:
    task_id = f"early{number}"
    submit(client, task_id, *SLOW)
    log = server.attempt(task_id) / "events.jsonl"
    eventually(lambda: log.exists() and b"Concurrency:" in log.read_bytes())
    client.abort(task_id)
    ended = server.ended(task_id)
    assert ended["state"] == "ABORTED"
    assert_interrupted(ended)


def test_the_time_limit_stops_dbt(client: DbtApi, server: Server) -> None:
    """Peer defect D16: a child that says nothing was never timed out."""
    submit(client, "late", *SLOW, timeout_seconds=10)
    ended = server.ended("late")
    assert (ended["state"], ended["outcome"], ended["exc_type"]) == ("FAILURE", "timeout", "TimeoutError")
    assert "10 s" in ended["exc_message"]


def test_failed_and_doubtful_tests_and_nothing_to_do(client: DbtApi, server: Server) -> None:
    submit(client, "fails", "build", "--select", "orders", "--vars", '{"fail": true}')
    submit(client, "doubts", "build", "--select", "orders", "--vars", '{"doubt": true}')
    submit(client, "nothing", "run", "--select", "nowhere")
    submit(client, "usage", "run", "--nope")
    assert server.ended("fails")["outcome"] == "test_failure"
    assert server.ended("doubts")["outcome"] == "warn"
    assert server.ended("nothing")["outcome"] == "nothing_to_do"
    usage = server.ended("usage")
    assert (usage["outcome"], usage["exc_type"]) == ("usage_error", "DbtUsageError")
    assert "--nope" in usage["exc_message"]


def test_the_list_is_paged_newest_first(client: DbtApi, server: Server) -> None:
    for number in range(3):
        submit(client, f"page{number}", "ls", "--nope")
    first = server.call("GET", "/api/v1/invocations?limit=2").json()
    then = server.call("GET", f"/api/v1/invocations?limit=2&cursor={first['next_cursor']}").json()
    assert [each["task_id"] for each in first["invocations"]] == ["page2", "page1"]
    assert then["invocations"][0]["task_id"] == "page0"


def test_no_secret_of_the_server_reaches_dbt(client: DbtApi, server: Server) -> None:
    submit(client, "curious", "run", "--select", "orders", "--vars", "{a: 1}")
    server.ended("curious")
    assert TOKEN.encode() not in client.log_chunk("curious", offset=0, max_bytes=10 << 20).data


def test_errors_are_told_in_our_own_tree(client: DbtApi, server: Server) -> None:
    with pytest.raises(NotFound):
        client.invocation("nobody")
    with pytest.raises(NotFound):
        client.abort("nobody")
    with pytest.raises(NotFound, match="no project 'nobody'"):
        client.submit(SubmitInvocation(project="nobody", command=["run"]))
    with pytest.raises(BackendRejected, match="not a dbt command") as refused:
        submit(client, "clean", "clean")
    assert refused.value.status == 422
    with pytest.raises(BackendRejected) as login:
        DbtApi(server.url, "wrong").invocation("x")
    assert login.value.status == 401
    with pytest.raises(BackendUnreachable):
        DbtApi(f"http://127.0.0.1:{free_ports(1)[0]}", TOKEN).health()
    assert client.health().ready


def test_a_body_that_is_too_large_is_refused(server: Server) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * (1 << 20)

    announced = server.call("POST", "/api/v1/invocations", data=b" " * (9 << 20))
    assert announced.status_code == 413
    assert server.call("POST", "/api/v1/invocations", data=endless()).status_code == 413
