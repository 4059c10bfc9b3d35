"""The event stream: the whole story once, from any place on, to its end and no further."""

import contextlib
import os
import signal
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest
import requests

from tests.unit.dbt_api.server import Server, eventually, is_running
from tests.unit.dbt_api.sse import Event, events_of, open_stream, story

ENDLESS = ("run", "--select", "slow", "--vars", '{"slow_ms": 600000}')


def states(events: list[Event]) -> list[tuple[str, int]]:
    return [(event.json["state"], event.json["attempt"]) for event in events if event.name == "state"]


def log_of(events: list[Event]) -> bytes:
    return b"".join(event.data.encode() + b"\n" for event in events if event.name == "log")


@pytest.fixture(scope="module")
def told(server: Server) -> list[Event]:
    """The story of a build with a failure, read after its end."""
    server.submit("told", "build", "--select", "orders broken+", "--vars", '{"break": true}')
    server.ended("told")
    return story(server, "told")


def test_d16_a_late_viewer_sees_everything_from_the_first_state_to_the_last(server: Server, told: list[Event]) -> None:
    assert states(told) == [("PENDING", 0), ("STARTED", 1), ("FAILURE", 1)]
    assert told[0].name == told[-1].name == "state"
    assert told[-1].json["exc_type"] == "DbtModelError"
    assert log_of(told) == server.call("GET", "/api/v1/invocations/told/logs").content
    page = server.call("GET", "/api/v1/invocations/told/nodes").json()
    latest = {event.json["unique_id"]: event.json for event in told if event.name == "node"}
    assert list(latest.values()) == page["nodes"]
    assert {node["name"]: node["status"] for node in page["nodes"]} == {"orders": "success", "broken": "error"}


def test_numbers_only_grow(told: list[Event]) -> None:
    ids = [event.id for event in told]
    assert ids == sorted(set(ids), key=lambda each: each or 0)


def test_a_stream_goes_on_exactly_behind_any_event(server: Server, told: list[Event]) -> None:
    for position in [0, 1, 2, *range(3, len(told) - 1, 9), len(told) - 2]:
        assert story(server, "told", after=told[position].id) == told[position + 1 :]
    for position, event in enumerate(told):
        if event.name == "node":
            assert story(server, "told", after=event.id) == told[position + 1 :]
    page = server.call("GET", "/api/v1/invocations/told/nodes").json()
    assert [event for event in story(server, "told", after=page["seq"]) if event.name == "node"] == []
    assert story(server, "told", query=f"?since_seq={told[5].id}") == told[6:]


def test_whoever_has_the_last_event_is_told_to_stop_asking(server: Server, told: list[Event]) -> None:
    assert open_stream(server, "told", after=told[-1].id).status_code == 204
    assert open_stream(server, "nobody").status_code == 404
    for wrong in ("?since_seq=x", "?since_seq=-2", "?level=loud"):
        assert open_stream(server, "told", query=wrong).status_code == 422
    headers = {"Last-Event-ID": "yesterday"}
    assert server.call("GET", "/api/v1/invocations/told/events", headers=headers).status_code == 422


def test_less_important_lines_can_be_left_out(server: Server, told: list[Event]) -> None:
    quiet = story(server, "told", query="?level=info")
    assert [event for event in quiet if event.name != "log"] == [event for event in told if event.name != "log"]
    assert {event.json["info"]["level"] for event in quiet if event.name == "log"} == {"info", "error"}


def test_d13_a_stream_opened_early_ends_by_itself_and_tells_what_a_late_one_tells(server: Server) -> None:
    server.submit("watched_first", *ENDLESS)
    server.sleeping("watched_first")
    server.submit("waits", "run", "--select", "orders")
    server.submit("given-up", "run", "--select", "orders")
    with open_stream(server, "waits") as early, open_stream(server, "given-up") as aborted:
        stream = events_of(early)
        seen = [next(stream)]
        assert states(seen) == [("PENDING", 0)]
        server.call("POST", "/api/v1/invocations/given-up/abort")
        assert states(list(events_of(aborted))) == [("PENDING", 0), ("ABORTED", 0)]
        server.call("POST", "/api/v1/invocations/watched_first/abort")
        seen += [event for event in stream if event.name != "heartbeat"]
    assert states(seen)[-1] == ("SUCCESS", 1)
    assert seen == story(server, "waits")


def test_a_client_that_goes_away_leaves_nothing_behind(server: Server) -> None:
    server.submit("watched", *ENDLESS)
    server.sleeping("watched")
    before = _sockets(server)
    responses = [open_stream(server, "watched") for _ in range(20)]
    streams = [events_of(response) for response in responses]
    assert states([next(stream) for stream in streams]) == [("PENDING", 0)] * 20
    assert _sockets(server) >= before + 20
    for response in responses:
        response.close()
    eventually(lambda: _sockets(server) <= before)
    server.call("POST", "/api/v1/invocations/watched/abort")
    server.ended("watched")


def _sockets(server: Server) -> int:
    assert server.process is not None
    count = 0
    for each in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed in between
            count += os.readlink(each).startswith("socket:")
    return count


def test_a_stream_is_resumed_across_a_killed_server_and_told_of_the_interrupted_node(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    server.submit("run", *ENDLESS)
    server.sleeping("run")
    with open_stream(server, "run") as first:
        seen = list(islice(events_of(first), 40))
        server.end(signal.SIGKILL)
    server.start()
    with open_stream(server, "run", after=seen[-1].id) as second:
        stream = events_of(second)
        while seen[-1].name != "node":
            seen.append(next(stream))
        os.kill(server.dbt_pid("run"), signal.SIGKILL)
        seen += [event for event in stream if event.name != "heartbeat"]
    assert (seen[-2].json["name"], seen[-2].json["status"]) == ("slow", "interrupted")
    assert states(seen) == [("PENDING", 0), ("STARTED", 1), ("FAILURE", 1)]
    assert seen == story(server, "run")

    server.add_attempt("run", 2, (server.attempt("run") / "events.jsonl").read_bytes())
    both = story(server, "run")
    assert states(both) == [("PENDING", 0), ("STARTED", 1), ("STARTED", 2), ("FAILURE", 2)]
    assert both[: len(seen) - 1] == seen[:-1], "what was told of the first attempt stays as it was"
    again = both[len(seen) :]
    assert log_of(again) == log_of(seen)
    assert story(server, "run", after=seen[-2].id) == both[len(seen) - 1 :]
    nodes = server.call("GET", f"/api/v1/invocations/run/nodes?since_seq={seen[-2].id}").json()
    assert (nodes["attempt"], [node["attempt"] for node in nodes["nodes"]]) == (2, [2])
    first = server.call("GET", "/api/v1/invocations/run/nodes?attempt=1").json()
    assert [node["attempt"] for node in first["nodes"]] == [1]
    assert server.call("GET", "/api/v1/invocations/run/nodes?attempt=3").status_code == 404


def test_a_server_that_stops_ends_its_streams(start_server: Callable[..., Server]) -> None:
    server = start_server(STOP_GRACE_SECONDS="20")
    server.submit("run", *ENDLESS)
    server.sleeping("run")
    pid = server.dbt_pid("run")
    with open_stream(server, "run") as response:
        stream = events_of(response)
        next(stream)
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(requests.RequestException):
            list(stream)
    assert server.end() == 0
    assert not is_running(pid)
