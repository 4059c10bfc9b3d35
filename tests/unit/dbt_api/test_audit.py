"""The audit tells of every mutating call who made it, on what, and how it was answered; never more."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import requests

from tests.unit.dbt_api.server import Server, eventually


def newest(server: Server, **wanted: Any) -> dict[str, Any]:
    """The newest entry with these values. It is written just after the answer."""
    found: list[dict[str, Any]] = []

    def is_there() -> bool:
        entries = server.call("GET", "/api/v1/audit?limit=50").json()["entries"]
        found[:] = [each for each in entries if wanted.items() <= each.items()]
        return bool(found)

    eventually(is_there)
    return found[0]


def test_a_mutating_call_is_recorded_and_a_reading_one_is_not(guarded: Server) -> None:
    token = guarded.make_token("run:write", "run:read", "run:abort", name="auditor")
    body = {"project": "shop", "command": ["ls"], "requested_by": "secret-person"}
    task_id = guarded.call_with(token, "POST", "/api/v1/invocations", json=body).json()["task_id"]
    entry = newest(guarded, resource=task_id)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(entry.pop("at"))).total_seconds()) < 600
    assert entry.pop("id") > 0
    assert entry == {
        "caller": "auditor",
        "login": "token",
        "token_prefix": token[:14],
        "method": "POST",
        "route": "/api/v1/invocations",
        "resource": task_id,
        "project": "shop",
        "status": 202,
        "address": "127.0.0.1",
    }
    guarded.call_with(token, "GET", f"/api/v1/invocations/{task_id}")
    guarded.call_with(token, "POST", f"/invocations/{task_id}/abort")
    aborted = newest(guarded, resource=task_id)
    assert (aborted["route"], aborted["project"], aborted["status"]) == ("/invocations/{task_id}/abort", "shop", 200)
    ids = [each["resource"] for each in guarded.call("GET", "/api/v1/audit").json()["entries"]]
    assert ids.count(task_id) == 2


def test_tokens_and_projects_are_recorded_by_their_names(guarded: Server) -> None:
    secret = guarded.make_token("run:read")
    assert newest(guarded, resource=secret[:14])["status"] == 201
    guarded.call("DELETE", f"/api/v1/tokens/{secret[:14]}")
    assert newest(guarded, resource=secret[:14], method="DELETE")["status"] == 204
    guarded.call("POST", "/api/v1/projects/other/parse")
    parsed = newest(guarded, route="/api/v1/projects/{name}/parse")
    assert (parsed["project"], parsed["login"], parsed["caller"]) == ("other", "root", "pilothouse")


def test_refused_attempts_are_recorded_and_a_flood_of_them_is_not(start_server: Callable[..., Server]) -> None:
    server = start_server()
    reader = server.make_token("run:read", name="reader")
    assert server.call_with(reader, "POST", "/api/v1/invocations/mine/abort").status_code == 403
    assert newest(server, resource="mine", caller="reader")["status"] == 403
    for _ in range(20):
        assert requests.delete(f"{server.url}/api/v1/projects/shop", timeout=10).status_code == 401
    unknown = newest(server, route="/api/v1/projects/{name}", method="DELETE")
    assert (unknown["caller"], unknown["login"], unknown["status"]) == (None, None, 401)
    assert unknown["resource"] == "shop"
    entries = server.call("GET", "/api/v1/audit").json()["entries"]
    assert 5 <= [each["status"] for each in entries].count(401) <= 10


def test_the_audit_is_paged_and_old_rows_go(start_server: Callable[..., Server]) -> None:
    server = start_server(AUDIT_DAYS="30")
    server.make_token("run:read")
    newest(server, route="/api/v1/tokens")
    first = server.call("GET", "/api/v1/audit?limit=1").json()
    second = server.call("GET", f"/api/v1/audit?limit=1&cursor={first['next_cursor']}").json()
    assert first["entries"][0]["id"] > second["entries"][0]["id"]

    server.end()
    with sqlite3.connect(server.data / "dbt_api.db") as database:
        database.execute(
            "UPDATE audit SET at = '2020-01-01 00:00:00.000000' WHERE id = ?", (second["entries"][0]["id"],)
        )
    server.start()
    server.make_token("run:read")
    eventually(lambda: second["entries"][0]["id"] not in ids(server))
    assert first["entries"][0]["id"] in ids(server)


def ids(server: Server) -> list[int]:
    return [each["id"] for each in server.call("GET", "/api/v1/audit").json()["entries"]]
