"""Whatever is killed at whatever moment: the invocation ends in a true state, and dbt never runs twice at a time.

Each on SQLite with the real dbt, and on Postgres with a quick stand-in; some also with a dbt that started warm.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.dbt_api import fake_dbt
from tests.unit.dbt_api.server import Server, eventually, is_running

Start = Callable[..., Server]
ALSO_WARM = pytest.mark.parametrize("store_settings", ["sqlite", "postgres", "warm"], indirect=True)
SLOW = ("run", "--select", "slow", "--vars", '{"slow_ms": 6000}')
ENDLESS = ("run", "--select", "slow", "--vars", '{"slow_ms": 600000}')


@pytest.fixture(params=["sqlite", "postgres"])
def store_settings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    if request.param != "postgres":
        return {"WARM": str(request.param == "warm")}
    monkeypatch.setenv("DBT_ENV_WITNESS", str(tmp_path / "fake" / "witness"))
    url = request.getfixturevalue("postgres").database()
    return {"DATABASE_URL": url, "WORKER_ID": "local", "DBT": str(fake_dbt.install(tmp_path / "fake"))}


@ALSO_WARM
def test_a_killed_server_takes_its_running_dbt_up_again(start_server: Start) -> None:
    """Peer defect D19: a worker's restart ran a production build twice."""
    server = start_server()
    server.submit("run", *SLOW)
    server.sleeping("run")
    server.submit("next", "run", "--select", "orders", priority=1)
    pid = server.dbt_pid("run")

    server.end(signal.SIGKILL)
    assert is_running(pid)
    server.start()

    ended = server.ended("run")
    assert (ended["state"], ended["attempt"], ended["exit_code"]) == ("SUCCESS", 1, 0)
    assert b"CommandCompleted" in server.call("GET", "/api/v1/invocations/run/logs").content
    assert server.dbt_pid("run") == pid
    following = server.ended("next")
    assert following["state"] == "SUCCESS", "two dbt on one DuckDB file would have failed on its lock"
    assert following["started_at"] >= ended["finished_at"]


def test_dbt_that_ends_while_the_server_is_dead_is_not_lost(start_server: Start) -> None:
    server = start_server()
    server.submit("run", *SLOW)
    server.sleeping("run")

    server.end(signal.SIGKILL)
    eventually((server.attempt("run") / "exit.json").exists)
    server.start()

    ended = server.ended("run")
    assert (ended["state"], ended["outcome"], ended["attempt"]) == ("SUCCESS", "success", 1)


@ALSO_WARM
def test_dbt_that_dies_with_the_server_is_reported_as_lost(start_server: Start) -> None:
    """Peer defect D4: after a worker's death a run stayed STARTED for a month."""
    server = start_server()
    server.submit("run", *ENDLESS)
    server.sleeping("run")
    shim = int(_parent_of(server.dbt_pid("run")))

    server.end(signal.SIGKILL)
    os.kill(shim, signal.SIGKILL)
    os.kill(server.dbt_pid("run"), signal.SIGKILL)
    server.start()

    ended = server.ended("run")
    assert (ended["state"], ended["outcome"], ended["exc_type"]) == ("FAILURE", "worker_lost", "WorkerLostError")


def test_a_lost_worker_is_made_up_for_where_that_was_asked_for(start_server: Start) -> None:
    """Peer defect D4: a run whose worker died stayed STARTED for a month."""
    server = start_server(SLOTS="2", STOP_GRACE_SECONDS="20")
    server.submit("twice", *SLOW, on_lost="requeue", max_attempts=2)
    server.submit("once", *SLOW, project="other", on_lost="requeue", max_attempts=1)
    server.sleeping("twice")
    server.sleeping("once")

    server.end(signal.SIGKILL)
    for task_id in ("twice", "once"):
        pid = server.dbt_pid(task_id)
        os.kill(int(_parent_of(pid)), signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
    server.start()

    twice, once = server.ended("twice"), server.ended("once")
    assert (twice["state"], twice["attempt"], twice["max_attempts"]) == ("SUCCESS", 2, 2)
    assert (once["state"], once["outcome"], once["attempt"]) == ("FAILURE", "worker_lost", 1)

    server.submit("stopped", *SLOW, on_lost="requeue")
    server.sleeping("stopped")
    assert server.end(signal.SIGTERM) == 0
    server.start()
    stopped = server.ended("stopped")
    assert (stopped["state"], stopped["attempt"], stopped["exc_message"]) == ("SUCCESS", 2, None)


def test_what_waits_survives_a_killed_server(start_server: Start) -> None:
    server = start_server(SLOTS="1")
    server.submit("running", *SLOW)
    server.sleeping("running")
    server.submit("waiting", "run", "--select", "orders", project="other")

    server.end(signal.SIGKILL)
    server.start()

    assert server.ended("waiting")["state"] == "SUCCESS"


def test_a_server_killed_just_before_dbt_began_starts_it(start_server: Start) -> None:
    server = start_server(SLOTS="1")
    server.submit("running", *SLOW)
    server.sleeping("running")
    server.submit("begun", "run", "--select", "orders", project="other")
    server.submit("unqueued", "run", "--select", "orders", project="other")

    server.end(signal.SIGKILL)
    server.execute(
        "update invocation set state = 'STARTED', attempt = 1, worker = 'local', started_at = created_at "
        "where task_id = 'begun'"
    )
    server.execute_in_queue(
        "update workflow_status set status = 'PENDING', executor_id = 'local' where workflow_uuid = 'begun'"
    )
    server.execute_in_queue("delete from workflow_status where workflow_uuid = 'unqueued'")
    server.start()

    begun = server.ended("begun")
    assert (begun["state"], begun["attempt"]) == ("SUCCESS", 2)
    assert server.ended("unqueued")["state"] == "SUCCESS"


@ALSO_WARM
def test_a_stopped_server_leaves_no_dbt_and_says_so(start_server: Start) -> None:
    server = start_server(STOP_GRACE_SECONDS="20")
    server.submit("run", *ENDLESS)
    server.submit("waiting", "run", "--select", "orders")
    server.sleeping("run")
    pid = server.dbt_pid("run")

    assert server.end(signal.SIGTERM) == 0
    assert not is_running(pid)
    server.start()

    ended = server.ended("run")
    assert (ended["state"], ended["outcome"]) == ("FAILURE", "worker_lost")
    assert ended["exc_message"] == "The dbt API server was stopped while dbt ran."
    assert server.ended("waiting")["state"] == "SUCCESS"


@ALSO_WARM
def test_a_killed_dbt_names_the_signal_and_memory(start_server: Start) -> None:
    """Peer defect D1: dbt killed for want of memory was reported as a success."""
    server = start_server()
    server.submit("run", *ENDLESS)
    server.sleeping("run")

    os.kill(server.dbt_pid("run"), signal.SIGKILL)

    ended = server.ended("run")
    assert (ended["state"], ended["outcome"], ended["signal"]) == ("FAILURE", "oom", 9)
    assert ended["exc_type"] == "OutOfMemory"
    assert "signal 9" in ended["exc_message"]
    assert "memory" in ended["exc_message"]


def test_an_abort_asked_before_the_kill_is_kept(start_server: Start) -> None:
    server = start_server()
    server.submit("run", *ENDLESS)
    server.sleeping("run")
    os.kill(server.dbt_pid("run"), signal.SIGSTOP)

    server.call("POST", "/api/v1/invocations/run/abort", json={"reason": "enough"})
    server.end(signal.SIGKILL)
    os.kill(server.dbt_pid("run"), signal.SIGCONT)
    server.start()

    ended = server.ended("run")
    assert (ended["state"], ended["outcome"], ended["exc_message"]) == ("ABORTED", "aborted", "enough")


def _parent_of(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[1]
