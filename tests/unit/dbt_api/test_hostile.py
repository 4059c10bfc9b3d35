"""A hostile client: whatever it sends is refused with 4xx, never 500, and no secret comes back or stays behind.

Peer defects D6 (traversal, free paths, no login) and D12 (a route that serves /etc/hostname) are among it.
"""

import json
import re
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.unit.dbt_api.conftest import PASSWORD, USERS
from tests.unit.dbt_api.issuer import Issuer
from tests.unit.dbt_api.server import TOKEN, Server, eventually

ARTIFACTS = "/api/v1/invocations/of-shop/artifacts"
JSON = {"Content-Type": "application/json"}
LEAVING = [
    "..%2f..",
    "../../../../etc/passwd",
    "..\\..",
    "/etc/hostname",
    "....//....//etc/passwd",
    "target/../../lock",
]
ODD = ["\0", "a\0b", "\r\nX-Injected: 1", "a" * 5000, "%2e%2e%2f", "‮", "\U0010ffff", "'; DROP TABLE invocation; --"]
NAMED = ["/api/v1/invocations/{}", "/api/v1/invocations/{}/logs", "/api/v1/projects/{}", f"{ARTIFACTS}/{{}}"]


@pytest.mark.parametrize("path", NAMED)
@pytest.mark.parametrize("name", [*LEAVING, *ODD])
def test_names_that_lead_elsewhere_are_not_found(guarded: Server, path: str, name: str) -> None:
    for written in (quote(name, safe=""), quote(name)):
        answer = guarded.call("GET", path.format(written))
        assert answer.status_code in (404, 405, 422), answer.text
        assert "X-Injected" not in answer.headers


@pytest.mark.parametrize("name", [*LEAVING, *ODD])
def test_names_that_lead_elsewhere_change_nothing(guarded: Server, name: str) -> None:
    written = quote(name, safe="")
    for method, path in (
        ("DELETE", f"/api/v1/projects/{written}"),
        ("PUT", f"/api/v1/projects/{written}"),
        ("POST", f"/api/v1/projects/{written}/parse"),
        ("POST", f"/api/v1/invocations/{written}/abort"),
        ("DELETE", f"/api/v1/tokens/{written}"),
    ):
        body = {"source": {"kind": "template"}} if method == "PUT" else None
        assert guarded.call(method, path, json=body).status_code in (404, 405, 422)
    for path in (f"/invocations/{written}", f"/invocations/{written}/abort"):
        answer = guarded.call("POST" if path.endswith("abort") else "GET", path)
        assert answer.status_code in (404, 422) or answer.json()["state"] == "NOT_FOUND"


def raw_paths() -> Iterator[str]:
    yield from ("/../../etc/passwd", "//etc/passwd", "/ready/../api/v1/tokens", "/healthz/%2e%2e/api/v1/tokens")
    yield from (f"{ARTIFACTS}/../../../of-other/artifacts/manifest.json", f"{ARTIFACTS}/%2e%2e/%2e%2e/2/exit.json")
    yield from ("/%ff%fe", "/%ed%a0%80", "/READY/x", "/ready;/api/v1/tokens", "/api/v1/tokens%00", "/api/v1//tokens")


@pytest.mark.parametrize("path", list(raw_paths()))
def test_a_path_that_no_decent_client_would_send(guarded: Server, path: str) -> None:
    assert raw(guarded, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) == 401
    login = f"Authorization: Bearer {TOKEN}\r\n"
    assert raw(guarded, f"GET {path} HTTP/1.1\r\nHost: x\r\n{login}\r\n".encode()) in (404, 422)


@pytest.mark.parametrize("query", [b"\xff\xfe", b"%ff%fe", b"a=%00", b"=", b"&&&", b"limit[]=1", b"a=1;b=2"])
@pytest.mark.parametrize("path", [b"/invocations/", b"/api/v1/projects/shop/", b"/nowhere", b"/openapi.json/"])
def test_queries_that_are_hardly_text(guarded: Server, path: bytes, query: bytes) -> None:
    login = f"Authorization: Bearer {TOKEN}\r\n".encode()
    assert raw(guarded, b"GET %s?%s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (path, query, login)) < 500


def raw(server: Server, sent: bytes) -> int:
    """The status that these bytes are answered with."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(sent)
        return int(connection.recv(4096).split()[1])


@pytest.mark.parametrize(
    "sent",
    [
        b"\0\0\0\0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(20_000)) + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n\r\n",
        b"GET /invocations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
        b"GET /invocations HTTP/1.1\r\nHost: x\r\nAuthorization: Basic AAAA\r\n\r\n",
        b"GET /invocations HTTP/1.1\r\nHost: x\r\nAuthorization: Basic 77+9OjA=\r\n\r\n",
        b"GET /invocations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer pht_\r\n\r\n",
        b"GET /invocations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer pht_" + b"a" * 50_000 + b"\r\n\r\n",
    ],
    ids=range(13),
)
def test_bytes_that_are_hardly_http(guarded: Server, sent: bytes) -> None:
    assert 400 <= raw(guarded, sent) < 500


OURS = {"project": "shop", "command": ["ls"]}
BODIES = [
    "",
    "[",
    "[]",
    "null",
    '"text"',
    "\ufeff{}",
    "[" * 100_000 + "]" * 100_000,
    '{"a":' * 100_000,
    json.dumps({**OURS, "command": "ls"}),
    json.dumps({**OURS, "command": ["ls", "\0"]}),
    json.dumps({**OURS, "command": ["ls", "\ud800"]}),
    json.dumps({**OURS, "command": ["run", "--select", "x" * 200_000]}),
    json.dumps({**OURS, "command": ["ls"] * 100_000}),
    json.dumps({**OURS, "command": ["ls", "--project-dir", "/etc"]}),
    json.dumps({**OURS, "command": ["ls", "--state", "../../../../etc"]}),
    json.dumps({**OURS, "command": ["run", "--target-path", "/tmp"]}),
    json.dumps({**OURS, "command": ["--profiles-dir", "/root/.dbt", "ls"]}),
    json.dumps({**OURS, "command": ["clean"]}),
    json.dumps({**OURS, "project": "../other"}),
    json.dumps({**OURS, "project": "\0"}),
    json.dumps({**OURS, "task_id": "../../etc/cron.d/x"}),
    json.dumps({**OURS, "task_id": ".."}),
    json.dumps({**OURS, "task_id": "a\n"}),
    json.dumps({**OURS, "timeout_seconds": 10**30}),
    json.dumps({**OURS, "timeout_seconds": 10**400}),
    '{"project": "shop", "command": ["ls"], "timeout_seconds": 1e999}',
    '{"project": "shop", "command": ["ls"], "timeout_seconds": NaN}',
    '{"project": "shop", "command": ["ls"], "priority": ' + "9" * 5000 + "}",
    json.dumps({**OURS, "requested_by": "\0"}),
    json.dumps({**OURS, "requested_by": "\ud800"}),
    json.dumps({**OURS, "source": {"kind": "\ud800"}}),
    json.dumps({**OURS, "source": {"kind": "api", "url": "\0"}}),
    json.dumps({**OURS, "\ud800": 1}),
    json.dumps({**OURS, "callback": "http://169.254.169.254/"}),
]


ONLY_IN_V1 = ["timeout_seconds", "priority", "requested_by", "source", '"\\ud800": 1', "callback"]
"""The other door has no such field, and ignores what it doesn't know."""


@pytest.mark.parametrize("number", range(len(BODIES)))
def test_a_body_that_makes_no_sense_is_refused_at_both_doors(guarded: Server, number: int) -> None:
    both = [("/api/v1/invocations", BODIES[number])]
    if not any(only in BODIES[number] for only in ONLY_IN_V1):
        both.append(("/invocations", BODIES[number].replace('"project"', '"project_dir"')))
    for path, body in both:
        answer = guarded.call("POST", path, data=body.encode(), headers=JSON)
        assert answer.status_code in (400, 404, 422), answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "\x7f/;;", ""])
def test_another_type_of_content_is_refused(guarded: Server, kind: str) -> None:
    answer = guarded.call("POST", "/api/v1/invocations", data=json.dumps(OURS), headers={"Content-Type": kind})
    assert answer.status_code in (400, 415, 422)


@pytest.mark.parametrize(
    "named", ["\0", "/etc", "..", "../..", "~root", "~nobody/x", "a" * 5000, "/" + "a" * 300, "\ud800"]
)
def test_no_folder_but_a_projects_own_can_be_named(guarded: Server, named: str) -> None:
    git = {"kind": "git", "url": f"file://{guarded.data}", "branch": "main"}
    for method, path, body in (
        ("POST", "/invocations", {"command": ["ls"], "project_dir": named}),
        ("POST", "/invocations", {"command": ["ls", "--project-dir", named]}),
        ("PUT", "/api/v1/projects/hostile", {"source": {"kind": "folder", "path": named}}),
        ("PUT", "/api/v1/projects/hostile", {"source": {**git, "subfolder": named}}),
        ("PUT", "/api/v1/projects/hostile", {"source": {**git, "url": named}}),
        ("PUT", "/api/v1/projects/hostile", {"source": {**git, "branch": named}}),
    ):
        answer = guarded.call(method, path, data=json.dumps(body), headers=JSON)
        assert answer.status_code == 422, answer.text
    assert guarded.call("GET", "/api/v1/projects/hostile").status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        {"select": ["--profiles-dir=/etc"]},
        {"select": ["a b"]},
        {"select": ["\0"]},
        {"select": ["$(id)"]},
        {"exclude": ["x" * 200_000]},
        {"target": "../../etc"},
        {"vars": {"a": "x" * 200_000}},
        {"vars": []},
        {"command": "run-operation; id"},
    ],
)
def test_a_selection_that_is_none_is_refused(guarded: Server, asked: dict[str, Any]) -> None:
    assert guarded.call("POST", "/api/v1/preview", json={"project": "shop", **asked}).status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1e9",
        "limit=%00",
        "cursor=-1",
        "cursor=" + "9" * 30,
        "cursor=%00",
        "state=%FF",
        "limit=1&limit=x",
    ],
)
def test_queries_out_of_range(guarded: Server, query: str) -> None:
    for path in ("/api/v1/invocations", "/api/v1/audit"):
        if not (query.startswith("state") and path.endswith("audit")):
            assert guarded.call("GET", f"{path}?{query}").status_code == 422


@pytest.mark.parametrize(
    "header", ["bytes=" + "9" * 5000 + "-", "bytes=5-1", "bytes=--1", "lines=0-1", "bytes=0-1,3-4"]
)
def test_ranges_out_of_range(guarded: Server, header: str) -> None:
    answer = guarded.call("GET", "/api/v1/invocations/of-shop/logs", headers={"Range": header})
    assert answer.status_code in (200, 206, 416)


def test_a_slow_body_is_not_waited_for(guarded: Server) -> None:
    head = f"POST /api/v1/invocations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    slow = [socket.create_connection(("127.0.0.1", guarded.port), timeout=60) for _ in range(50)]
    try:
        for connection in slow:
            connection.sendall(head.encode() + b"{")
        assert guarded.call("GET", "/api/v1/projects").ok, "it serves others meanwhile"
        for connection in slow:
            assert connection.recv(4096).split()[1] == b"408"
    finally:
        for connection in slow:
            connection.close()


def test_the_body_of_a_stranger_is_not_even_read(guarded: Server) -> None:
    head = b"POST /api/v1/invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    began = time.monotonic()
    assert raw(guarded, head) == 401
    assert time.monotonic() - began < 8, "not only after the time for a body"


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PATCH", "OPTIONS", "PROPFIND"])
def test_other_methods_are_refused(guarded: Server, method: str) -> None:
    assert requests.request(method, f"{guarded.url}/invocations", timeout=10).status_code in (400, 401)
    assert guarded.call(method, "/invocations").status_code in (400, 405)


def test_no_secret_comes_back_or_stays_behind(guarded: Server, issuer: Issuer) -> None:
    """Everything the server said and kept, after every kind of login, is searched for what nobody may read."""
    token, revoked = guarded.make_token("run:read", "run:write"), guarded.make_token("run:read")
    guarded.call("DELETE", f"/api/v1/tokens/{revoked[:14]}")
    jwt, expired = issuer.token(), issuer.token(exp=int(time.time()) - 3600)
    secrets = [TOKEN, token, revoked, jwt, jwt.rpartition(".")[2], expired, PASSWORD, "guessed-password"]
    basic = [("pilothouse", TOKEN), ("tester", token), ("ada", "guessed-password"), ("pilothouse", "guessed-password")]
    said = []
    for path in ("/api/v1/invocations", "/invocations", "/openapi.json", "/api/v1/nowhere", "/ready", "/api/v1/tokens"):
        for bearer in (TOKEN, token, revoked, jwt, expired, "guessed-password"):
            said += [guarded.call_with(bearer, method, path, data="{") for method in ("GET", "POST")]
        said += [requests.get(guarded.url + path, auth=login, timeout=30) for login in basic]
    for asked in ("PILOTHOUSE_DBT_API_TOKEN", "PILOTHOUSE_DBT_API_OIDC"):
        inline = f"select '{{{{ env_var('{asked}', 'nothing') }}}}' as asked"
        body = {"project": "shop", "command": ["compile", "--inline", inline], "task_id": f"asks-for-{asked}"}
        said.append(guarded.call_with(token, "POST", "/api/v1/invocations", json=body))
        assert guarded.ended(f"asks-for-{asked}")["state"] == "SUCCESS"
        said.append(guarded.call("GET", f"/invocations/asks-for-{asked}"))
        assert "nothing" in said[-1].json()["log_content"]
    said += [guarded.call("GET", path) for path in ("/api/v1/audit?limit=200", "/api/v1/tokens", "/api/v1/invocations")]

    eventually(lambda: (guarded.data / "server.log").exists())
    kept = [path for path in guarded.data.rglob("*") if path.is_file()]
    assert {"server.log", "dbt_api.db"} <= {path.name for path in kept}
    for secret in [*secrets, USERS["ada"]["password"]]:
        assert not [answer.url for answer in said if str(secret) in answer.text + str(answer.headers)]
        assert not [path for path in kept if str(secret).encode() in path.read_bytes()]


def test_and_nothing_of_all_this_was_a_surprise(guarded: Server) -> None:
    log = (guarded.data / "server.log").read_text(errors="replace")
    surprises = set(re.findall(r"^([\w.]*(?:Error|Exception)\w*)\b", log, re.MULTILINE))
    # uvicorn has answered 400 to bytes that are no HTTP while we were about to answer 401
    assert surprises <= {"h11._util.LocalProtocolError"}
    assert guarded.call("GET", "/ready").json()["ready"]
