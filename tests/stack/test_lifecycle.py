"""Starting, stopping and dying: no orphan, no busy port, and an exit status that tells."""

import json
import signal
import socket
import urllib.request
from collections.abc import Callable

import pytest

from stack.places import HOST
from tests.stack.harness import Stack


def assert_gone(stack: Stack) -> None:
    assert stack.pids() == []
    for port in stack.places.ports(("console", "airflow", "dbt-api")):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((HOST, port.number))


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
        return body


@pytest.mark.restarts
def test_a_ctrl_c_and_a_second_start(running_stack: Stack) -> None:
    stack = running_stack
    assert stack.console_url in stack.printed()
    assert f"sign in as pilothouse, password {stack.airflow_password}" in stack.printed()
    assert fetch(f"{stack.console_url}/_stcore/health") == b"ok"
    password, database = stack.airflow_password, stack.data / "airflow" / "airflow.db"
    made = database.stat().st_ino

    stack.ask(signal.SIGINT)
    assert stack.wait() == 0
    assert_gone(stack)

    stack.start()
    assert stack.airflow_password == password
    assert database.stat().st_ino == made
    assert stack.printed().count(password) == 1
    assert "installing" not in stack.printed()
    assert stack.printed().count("starting airflow-migration") == 1
    assert signed_in(stack)


def signed_in(stack: Stack) -> bool:
    body = json.dumps({"username": stack.airflow_user, "password": stack.airflow_password}).encode()
    request = urllib.request.Request(f"{stack.airflow_url}/auth/token", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bool(json.load(answer)["access_token"])


def test_a_killed_supervisor_leaves_nothing_for_the_next_start_to_trip_over(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(("dbt-api",))
    stack.start()
    left = stack.pids()
    stack.ask(signal.SIGKILL)
    stack.wait()
    stack.start()
    assert "that an earlier start had left behind" in stack.printed()
    assert not set(left) & set(stack.pids())
    assert stack.stop() == 0
    assert_gone(stack)


def test_a_second_stack_on_the_same_data_is_refused(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(("console",))
    stack.start()
    first = stack.process
    assert first
    stack.launch()
    assert stack.wait() == 2
    assert f"Pilothouse already runs on {stack.data} (process {first.pid})" in stack.printed()
    assert first.poll() is None
    stack.process = first


def test_a_busy_port_is_named_with_its_setting(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(("dbt-api",))
    with socket.create_server((HOST, stack.places.dbt_api.number)):
        stack.launch()
        assert stack.wait() == 2
    assert stack.printed() == (
        f"Port {stack.places.dbt_api.number} for dbt API is in use: "
        "stop what uses it, or set PILOTHOUSE_DBT_API_PORT to another.\n"
    )


def test_a_stop_in_the_middle_of_the_start_is_clean(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(("airflow",))
    stack.launch()
    while "starting airflow-scheduler" not in (stack.printed() if stack.output.exists() else ""):
        assert stack.process
        assert stack.process.poll() is None
    stack.ask(signal.SIGINT)
    assert stack.wait() == 0
    assert_gone(stack)
