"""Lists, conditional reads, progress, aborts and retries of invocations."""

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dbt_api.forecast import forecast
from dbt_api.tables import InvocationRow
from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import Server, eventually

URL = "/api/v1/invocations"
SLOW_CHAIN = ["run", "--select", "orders", "slow", "tail", "--vars", '{"slow_ms": 600000}']


@pytest.fixture(scope="module")
def chain(server: Server) -> Server:
    """The server with a project in which `tail` waits for `slow`, and `after` for `broken`."""
    folder = server.data.parent / "chain"
    files = {
        "models/tail.sql": "select * from {{ ref('slow') }}",
        "models/after.sql": "{{ config(enabled=var('break', false)) }} select * from {{ ref('broken') }}",
    }
    server.register("chain", write_project(folder, **files))
    return server


def listed(server: Server, query: str) -> list[str]:
    answer = server.call("GET", f"{URL}?{query}")
    assert answer.ok, answer.text
    return [each["task_id"] for each in answer.json()["invocations"]]


def test_an_ended_invocation_tells_all_of_its_life(server: Server) -> None:
    own = ("run", "--select", "path:models/orders.sql")  # no other test's runs are among its like
    server.submit("all_told", *own, requested_by="ada", source={"kind": "ui"})
    ended = server.ended("all_told")
    results = server.call("GET", ended["links"]["self"] + "/artifacts/run_results.json").json()
    assert ended["invocation_id"] == results["metadata"]["invocation_id"]
    expected = {"pass": 1, "warn": 0, "error": 0, "skip": 0, "noop": 0, "reused": 0, "total": 1, "running": 0}
    assert ended["counts"] == expected
    assert (ended["phase"], ended["status"], ended["command_display"]) == (
        "done",
        10,
        "dbt run --select path:models/orders.sql",
    )
    assert ended["duration_ms"] > 0
    assert ended["queued_ms"] >= 0
    assert (ended["can_retry"], ended["retry_of"], ended["retried_by"]) == (False, None, None)
    assert server.call("GET", ended["log"]["url"]).ok
    assert server.call("GET", ended["links"]["project"]).ok

    again = server.submit("told-again", *own)
    assert abs(again["eta_ms"] - ended["duration_ms"]) <= 1
    server.ended("told-again")


def test_a_reader_is_told_only_what_is_new(server: Server) -> None:
    server.submit("etag", "ls", "--nope")
    server.ended("etag")
    first = server.call("GET", f"{URL}/etag")
    assert "Retry-After" not in first.headers
    for known in (first.headers["ETag"], first.headers["ETag"].removeprefix("W/"), f'"x", {first.headers["ETag"]}'):
        again = server.call("GET", f"{URL}/etag", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
    assert server.call("GET", f"{URL}/etag", headers={"If-None-Match": '"x"'}).status_code == 200


def test_an_unknown_invocation_is_404_everywhere(server: Server) -> None:
    """Peer defect D15: dbtr answered 500 for an unknown run."""
    asked = [("GET", ""), ("GET", "/logs"), ("GET", "/artifacts/manifest.json"), ("POST", "/abort"), ("POST", "/retry")]
    for method, part in asked:
        answer = server.call(method, f"{URL}/nobody{part}")
        assert (answer.status_code, answer.json()["status"]) == (404, 404), part


def test_lists_are_filtered_sorted_counted_and_paged(server: Server) -> None:
    start = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    for number, who in enumerate(("bea", "cem", "bea")):
        more: dict[str, Any] = {"requested_by": who, "source": {"kind": "airflow"}, "target": "prod"}
        server.submit(f"list_{number}", "ls", "--nope", f"100%_{number}", **more)
    for number in range(3):
        server.ended(f"list_{number}")
    own = f"since={start}"
    assert listed(server, own) == ["list_2", "list_1", "list_0"]
    assert listed(server, f"{own}&sort=oldest&limit=2") == ["list_0", "list_1"]
    assert listed(server, f"{own}&user=bea&target=prod&source=airflow&state=FAILURE&project=shop") == [
        "list_2",
        "list_0",
    ]
    assert listed(server, f"{own}&state=SUCCESS") == listed(server, "until=2020-01-01") == []
    assert listed(server, f"{own}&q=100%25_1") == ["list_1"]
    assert listed(server, f"{own}&q=LIST_2") == ["list_2"]
    assert listed(server, f"{own}&q=l_st") == []

    for sort, order in (("newest", ["list_2", "list_1", "list_0"]), ("oldest", ["list_0", "list_1", "list_2"])):
        query, seen = f"{URL}?{own}&sort={sort}&limit=2&total=true", []
        page = server.call("GET", query).json()
        assert page["total"] == 3
        seen += page["invocations"]
        page = server.call("GET", f"{query}&cursor={page['next_cursor']}").json()
        assert (page["total"], page["next_cursor"]) == (3, None)
        assert [each["task_id"] for each in seen + page["invocations"]] == order


@pytest.mark.parametrize(
    "query",
    ["cursor=1", "cursor=%21", "cursor=b2xkZXN0OjE", "limit=201", "limit=0", "state=x", "since=soon", "sort=x", "y=1"],
)
def test_a_query_that_means_nothing_is_422(server: Server, query: str) -> None:
    assert server.call("GET", f"{URL}?{query}").status_code == 422


def selected(invocation: dict[str, Any]) -> set[str]:
    words = invocation["command"]
    assert words[words.index("--indirect-selection") + 1] == "empty"
    return {word.partition(",")[0] for word in words[words.index("--select") + 1 :]}


def retry(server: Server, task_id: str, /, **body: Any) -> Any:
    return server.call("POST", f"{URL}/{task_id}/retry", json=body)


def test_what_a_kill_or_an_abort_cut_off_is_retried(chain: Server) -> None:
    """Started-not-finished and never-started nodes, which dbt's own retry forgets (dbt-core#9034)."""
    chain.submit("cut", *SLOW_CHAIN, project="chain", threads=2)
    eventually(
        lambda: (chain.read("cut")["counts"] or {}).get("pass") == 1 and chain.read("cut")["counts"]["running"] == 1
    )
    running = chain.read("cut")
    assert (running["phase"], running["status"], running["counts"]["total"]) == ("running", 3, 3)
    assert (running["can_retry"], running["retry_not_supported_reason"]) == (False, "It has not ended.")
    assert retry(chain, "cut").status_code == 409
    assert chain.call("GET", f"{URL}/cut").headers["Retry-After"]
    os.kill(chain.dbt_pid("cut"), signal.SIGKILL)
    killed = chain.ended("cut")
    assert (killed["state"], killed["status"], killed["can_retry"]) == ("FAILURE", 20, True)
    assert killed["counts"] == {**running["counts"], "running": 0}

    answer = retry(chain, "cut", task_id="cut-2", requested_by="ada")
    assert (answer.status_code, answer.headers["Location"]) == (202, f"{URL}/cut-2")
    again = answer.json()
    assert (again["retry_of"], again["requested_by"], selected(again)) == ("cut", "ada", {"slow", "tail"})
    assert retry(chain, "cut", task_id="cut-2").headers["Idempotent-Replay"] == "true"
    assert "being retried already, by 'cut-2'" in retry(chain, "cut").json()["detail"]
    assert chain.read("cut")["retried_by"] == "cut-2"

    chain.sleeping("cut-2")
    chain.call("POST", f"{URL}/cut-2/abort", json={"reason": "slow", "grace_s": 600, "requested_by": "bea"})
    assert chain.read("cut-2")["state"] == "ABORTED" or chain.read("cut-2")["phase"] in ("cancelling", "collecting")
    aborted = chain.ended("cut-2")
    assert (aborted["state"], aborted["status"], aborted["aborted_by"]) == ("ABORTED", 30, "bea")

    third = retry(chain, "cut-2", mode="interrupted").json()
    assert selected(third) == {"slow", "tail"}
    chain.sleeping(third["task_id"])
    os.kill(chain.dbt_pid(third["task_id"]), signal.SIGSTOP)  # a dbt that minds no SIGINT
    for mode in ("graceful", "now"):
        asked = chain.call("POST", f"{URL}/{third['task_id']}/abort", json={"mode": mode})
        assert asked.status_code == 202
    stopped = chain.ended(third["task_id"])
    assert (stopped["state"], stopped["aborted_by"]) == ("ABORTED", "pilothouse")
    assert stopped["signal"] in (signal.SIGTERM, signal.SIGKILL)


def test_what_failed_and_was_skipped_is_retried_and_nothing_else(chain: Server) -> None:
    words = ["run", "-s", "orders", "broken", "after", "--vars", '{"break": true}']
    chain.submit("broke", *words, project="chain")
    broke = chain.ended("broke")
    stats = {key: broke["counts"][key] for key in ("pass", "error", "skip", "total")}
    assert stats == {"pass": 1, "error": 1, "skip": 1, "total": 3}
    assert "not broken off" in retry(chain, "broke", mode="interrupted").json()["detail"]

    dbts_own = {"command": ["retry"], "project_dir": "chain", "task_id": "dbts-own"}
    assert [chain.call("POST", "/invocations", json=dbts_own).status_code for _ in range(2)] == [200, 200]
    by_dbt = chain.ended("dbts-own")
    assert (by_dbt["retry_of"], selected(by_dbt), by_dbt["outcome"]) == ("broke", {"broken", "after"}, "model_error")

    again = retry(chain, "broke").json()
    assert selected(again) == {"broken", "after"}
    assert "--vars" in again["command"]
    ended = chain.ended(again["task_id"])
    results = json.loads((chain.attempt(again["task_id"]) / "target" / "run_results.json").read_text())["results"]
    assert {each["unique_id"] for each in results} == {"model.shop.broken", "model.shop.after"}
    assert ended["counts"]["total"] == 2
    assert retry(chain, "broke", mode="all").json()["command"] == words


def test_what_makes_no_sense_to_retry_is_409(server: Server) -> None:
    server.submit("well", "ls", "--select", "orders")
    server.ended("well")
    for mode in ("failed", "interrupted"):
        assert "It succeeded" in retry(server, "well", mode=mode).json()["detail"]
    none = server.call("POST", URL, json={"project": "shop", "command": ["retry", "--target", "nowhere"]})
    assert (none.status_code, none.json()["detail"]) == (409, "There is no earlier command of 'shop/nowhere' to retry.")
    again = retry(server, "well", mode="all")
    assert again.status_code == 202
    server.call("POST", f"{URL}/{again.json()['task_id']}/abort", json={"mode": "now"})


def row(name: str, key: str, **more: Any) -> InvocationRow:
    return InvocationRow(task_id=name, project="p", command=[], body_hash="", concurrency_key=key, source={}, **more)


def test_the_expected_start_follows_slots_keys_and_usual_times() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    running = [row("r", "a", priority=1, eta_ms=10_000, started_at=moment - timedelta(seconds=4))]
    waiting = [
        row("same-key", "a", id=1, priority=100, eta_ms=5000),
        row("other-key", "b", id=2, priority=100, eta_ms=20_000),
        row("urgent", "c", id=3, priority=1, eta_ms=None),
    ]
    found = forecast(running, waiting, slots=2, moment=moment)
    seconds = {name: (place.position, (place.expected_start_at or moment) - moment) for name, place in found.items()}
    assert seconds["urgent"] == (1, timedelta(0))
    assert seconds["same-key"] == (2, timedelta(seconds=6))
    assert seconds["other-key"] == (3, timedelta(seconds=10)), "the median of what is known stands for urgent's length"
    unknown = forecast([row("r", "a", priority=1)], [row("w", "a", id=1, priority=1)], slots=1, moment=moment)
    assert unknown["w"].expected_start_at is None
