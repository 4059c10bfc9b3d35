"""The real dbt, started cold and warm, when it, its server or both are killed or stopped.

All phases, on both databases, are in test_kills.py, with a quick stand-in for dbt. What comes up again is cold: whether
it is warm makes no difference to what was there before.
"""

import os
import signal
from collections.abc import Callable

import pytest

from tests.unit.dbt_api.server import Server, is_running

Start = Callable[..., Server]
SLOW = ("run", "--select", "slow", "--vars", '{"slow_ms": 6000}')
ENDLESS = ("run", "--select", "slow", "--vars", '{"slow_ms": 600000}')


@pytest.mark.parametrize("warm", ["true", "false"])
def test_a_killed_server_takes_its_running_dbt_up_again_and_tells_that_another_is_lost(
    start_server: Start, warm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Peer defects D19 and D4: a restart ran a production build twice; what was lost stayed STARTED for a month.

    It is an upgrade, too: DBOS would take up and hand out nothing that another version of the application queued.
    """
    server = start_server(WARM=warm)
    server.submit("lost", *ENDLESS, project="other")
    server.submit("run", *SLOW)
    server.sleeping("lost")
    server.sleeping("run")
    server.submit("next", "run", "--select", "orders", priority=1)
    pid, lost = server.dbt_pid("run"), server.dbt_pid("lost")

    shim = _parent_of(lost)
    server.end(signal.SIGKILL)
    assert is_running(pid)
    os.kill(shim, signal.SIGKILL)
    os.kill(lost, signal.SIGKILL)
    monkeypatch.setenv("DBOS__APPVERSION", "of-another-release")
    server = start_server()

    ended = server.ended("run")
    assert (ended["state"], ended["attempt"], ended["exit_code"]) == ("SUCCESS", 1, 0)
    assert ended["engine"] == ("warm" if warm == "true" else "cold")
    assert b"CommandCompleted" in server.call("GET", "/api/v1/invocations/run/logs").content
    assert server.dbt_pid("run") == pid
    following = server.ended("next")
    assert following["state"] == "SUCCESS", "two dbt on one DuckDB file would have failed on its lock"
    assert following["started_at"] >= ended["finished_at"]
    told = server.ended("lost")
    assert (told["state"], told["outcome"], told["exc_type"]) == ("FAILURE", "worker_lost", "WorkerLostError")


def test_a_killed_and_a_stopped_dbt_are_told_apart(start_server: Start) -> None:
    """Peer defect D1: killed for want of memory it was a success."""
    server = start_server(WARM="true", STOP_GRACE_SECONDS="20")
    server.submit("killed", *ENDLESS, project="other")
    server.submit("stopped", *ENDLESS)
    server.submit("waiting", "run", "--select", "orders")
    server.sleeping("killed")
    os.kill(server.dbt_pid("killed"), signal.SIGKILL)
    killed = server.ended("killed")
    assert (killed["state"], killed["outcome"], killed["signal"]) == ("FAILURE", "oom", 9)
    assert killed["exc_type"] == "OutOfMemory"
    assert "signal 9" in killed["exc_message"]
    assert "memory" in killed["exc_message"]

    server.sleeping("stopped")
    pid = server.dbt_pid("stopped")
    assert server.end(signal.SIGTERM) == 0
    assert not is_running(pid)
    server = start_server()
    stopped = server.ended("stopped")
    assert (stopped["state"], stopped["outcome"]) == ("FAILURE", "worker_lost")
    assert stopped["exc_message"] == "The dbt API server was stopped while dbt ran."
    assert server.ended("waiting")["state"] == "SUCCESS"


def _parent_of(pid: int) -> int:
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])
