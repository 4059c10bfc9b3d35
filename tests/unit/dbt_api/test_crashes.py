"""The real dbt, started cold and warm, when it, its server or both are killed or stopped.

All phases, on both databases, are in test_kills.py, with a quick stand-in for dbt.
"""

import os
import signal
from collections.abc import Callable

import pytest

from tests.unit.dbt_api.server import Server, is_running

Start = Callable[..., Server]
SLOW = ("run", "--select", "slow", "--vars", '{"slow_ms": 6000}')
ENDLESS = ("run", "--select", "slow", "--vars", '{"slow_ms": 600000}')


@pytest.fixture(params=["cold", "warm"])
def store_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    return {"WARM": str(request.param == "warm")}


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


def test_a_killed_a_lost_and_a_stopped_dbt_are_told_apart(start_server: Start) -> None:
    """Peer defects D1 and D4: killed for want of memory it was a success; lost it stayed STARTED for a month."""
    server = start_server(STOP_GRACE_SECONDS="20")
    server.submit("killed", *ENDLESS)
    server.sleeping("killed")
    os.kill(server.dbt_pid("killed"), signal.SIGKILL)
    killed = server.ended("killed")
    assert (killed["state"], killed["outcome"], killed["signal"]) == ("FAILURE", "oom", 9)
    assert killed["exc_type"] == "OutOfMemory"
    assert "signal 9" in killed["exc_message"]
    assert "memory" in killed["exc_message"]

    server.submit("lost", *ENDLESS)
    server.sleeping("lost")
    shim = int(_parent_of(server.dbt_pid("lost")))
    server.end(signal.SIGKILL)
    os.kill(shim, signal.SIGKILL)
    os.kill(server.dbt_pid("lost"), signal.SIGKILL)
    server.start()
    lost = server.ended("lost")
    assert (lost["state"], lost["outcome"], lost["exc_type"]) == ("FAILURE", "worker_lost", "WorkerLostError")

    server.submit("stopped", *ENDLESS)
    server.submit("waiting", "run", "--select", "orders")
    server.sleeping("stopped")
    pid = server.dbt_pid("stopped")
    assert server.end(signal.SIGTERM) == 0
    assert not is_running(pid)
    server.start()
    stopped = server.ended("stopped")
    assert (stopped["state"], stopped["outcome"]) == ("FAILURE", "worker_lost")
    assert stopped["exc_message"] == "The dbt API server was stopped while dbt ran."
    assert server.ended("waiting")["state"] == "SUCCESS"


def _parent_of(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[1]
