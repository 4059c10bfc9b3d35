"""API tokens by route and by command line, and users with passwords."""

import asyncio
import base64
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from dbt_api import database
from dbt_api.auth import login, users
from dbt_api.cli import main
from dbt_api.settings import Settings, settings
from tests.unit.dbt_api.conftest import PASSWORD
from tests.unit.dbt_api.server import ROOT, TOKEN, Server


def tokens_of(server: Server) -> dict[str, dict[str, Any]]:
    return {each["prefix"]: each for each in server.call("GET", "/api/v1/tokens").json()}


@pytest.fixture
def beside(guarded: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The server, with this process as a command line on its machine."""

    def forget() -> None:
        settings.cache_clear()
        database.engine.cache_clear()

    for name, value in guarded.environment.items():
        monkeypatch.setenv(name, value)
    forget()
    yield guarded
    database.engine().dispose()
    forget()


def test_a_token_is_made_used_shown_and_revoked(guarded: Server) -> None:
    made = guarded.call("POST", "/api/v1/tokens", json={"name": "nightly", "scopes": ["run:read"]})
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    token = made.json()
    secret = token.pop("secret")
    assert secret.startswith(token["prefix"])
    assert tokens_of(guarded)[token["prefix"]] == token
    assert (token["created_by"], token["last_used_at"]) == ("pilothouse", None)

    for given in ({"headers": {"Authorization": f"Bearer {secret}"}}, {"auth": ("nightly", secret)}):
        assert requests.get(f"{guarded.url}/invocations", timeout=5, **given).ok
    assert tokens_of(guarded)[token["prefix"]]["last_used_at"]
    assert requests.get(f"{guarded.url}/invocations", timeout=5, auth=("other", secret)).status_code == 401

    assert guarded.call("DELETE", f"/api/v1/tokens/{token['prefix']}").status_code == 204
    assert guarded.call_with(secret, "GET", "/invocations").status_code == 401
    assert guarded.call("DELETE", f"/api/v1/tokens/{token['prefix']}").status_code == 404


def test_the_database_holds_no_secret(guarded: Server) -> None:
    secret = guarded.make_token("run:read")
    held = b"".join(path.read_bytes() for path in guarded.data.glob("*.db*"))
    assert secret[:14].encode() in held
    assert secret.encode() not in held
    assert secret[14:].encode() not in held
    assert TOKEN.encode() not in held


def test_the_last_use_is_not_written_at_every_use(guarded: Server) -> None:
    secret = guarded.make_token("run:read")
    seen = set()
    for _ in range(5):
        assert guarded.call_with(secret, "GET", "/invocations").ok
        seen.add(tokens_of(guarded)[secret[:14]]["last_used_at"])
    assert len(seen) == 1


def test_an_expired_token_says_so_to_its_holder_only(guarded: Server) -> None:
    secret = guarded.make_token("run:read", expires_in_days=1)
    with sqlite3.connect(guarded.data / "dbt_api.db") as database:
        moment = "2020-01-01 00:00:00.000000"
        database.execute("UPDATE api_token SET expires_at = ? WHERE prefix = ?", (moment, secret[:14]))
    held = guarded.call_with(secret, "GET", "/invocations")
    guessed = guarded.call_with(f"{secret[:-1]}-", "GET", "/invocations")
    assert (held.status_code, guessed.status_code) == (401, 401)
    assert "expired" in held.json()["detail"]
    assert "expired" not in guessed.json()["detail"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": ["admin"], "project": "shop"},
        {"name": "pilothouse"},
        {"name": "a:b"},
        {"name": ""},
        {"expires_in_days": 0},
        {"project": "../shop"},
        {"secret": "mine"},
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(guarded: Server, wrong: dict[str, Any]) -> None:
    body = {"name": "tester", "scopes": ["run:read"], **wrong}
    assert guarded.call("POST", "/api/v1/tokens", json=body).status_code == 422


def test_a_store_that_is_gone_is_503_for_a_token(start_server: Callable[..., Server]) -> None:
    """D3: the store is down."""
    server = start_server()
    secret = server.make_token("run:read")
    with sqlite3.connect(server.data / "dbt_api.db") as store:
        store.execute("DROP TABLE api_token")
    answer = server.call_with(secret, "GET", "/invocations")
    assert (answer.status_code, "database" in answer.json()["detail"]) == (503, True)


def test_tokens_on_the_command_line(beside: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "create", "airflow", "--scope", "run:read", "--project", "shop", "--days", "30"]) == 0
    secret = capsys.readouterr().out.strip()
    assert beside.call_with(secret, "GET", "/invocations").ok

    assert main(["token", "list"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith(secret[:14])]
    assert "airflow  shop  run:read" in line
    assert secret not in line

    assert main(["token", "revoke", secret[:14]]) == 0
    assert beside.call_with(secret, "GET", "/invocations").status_code == 401
    assert main(["token", "revoke", secret[:14]]) == 2
    assert "no token" in capsys.readouterr().err
    assert main(["token", "create", "a:b", "--scope", "run:read"]) == 2
    assert main(["token", "create", "a", "--scope", "admin", "--project", "shop"]) == 2


def test_a_password_is_hashed_for_the_file(guarded: Server) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dbt_api", "token", "hash-password"],
        cwd=ROOT,
        env=guarded.environment,
        input="hunter2\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(users.FORM, done.stdout.strip())
    assert users.hash_password("hunter2") != users.hash_password("hunter2")


def test_a_user_of_the_file_logs_in_with_a_password(guarded: Server) -> None:
    def get(user: str, password: str, path: str) -> int:
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        return guarded.call("GET", path, headers={"Authorization": f"Basic {login}"}).status_code

    assert get("ada", PASSWORD, "/invocations") == 200
    assert get("ada", PASSWORD, "/api/v1/invocations/of-other") == 404
    assert get("ada", PASSWORD, "/api/v1/tokens") == 403
    assert get("ada", "wrong", "/invocations") == 401
    assert get("bob", PASSWORD, "/invocations") == 401
    assert guarded.call_with(PASSWORD.encode().decode("latin-1"), "GET", "/invocations").status_code == 401


def test_a_password_is_not_computed_anew_for_every_request(guarded: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = threading.Semaphore(1)
    real = users._scrypt
    monkeypatch.setattr(users, "_scrypt", lambda *given: computed.acquire(blocking=False) and real(*given))
    checker = login.Login(Settings(token=SecretStr("root"), users_file=guarded.data.parent / "users.json"))
    header = b"Basic " + base64.b64encode(f"ada:{PASSWORD}".encode())

    async def twice() -> None:
        first = await checker.identity(header, "192.0.2.1")
        assert await checker.identity(header, "192.0.2.1") == first

    asyncio.run(twice())


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"ada": {}}',
        '{"pilothouse": {"password": "x", "scopes": ["admin"]}}',
        '{"ada": {"password": "hunter2", "scopes": ["run:read"]}}',
        None,
    ],
)
def test_a_users_file_that_is_not_right_is_told_plainly(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "users.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SystemExit, match=r"users\.json") as told:
        users.read_users(file)
    assert "hunter2" not in str(told.value)


def test_and_keeps_the_server_from_starting(guarded: Server, tmp_path: Path) -> None:
    ours = {"PILOTHOUSE_DBT_API_USERS_FILE": str(tmp_path / "none"), "PILOTHOUSE_DBT_API_DATA": str(tmp_path / "data")}
    start = [sys.executable, "-m", "dbt_api", "serve"]
    environment = {**guarded.environment, **ours}
    done = subprocess.run(start, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "cannot be read" in done.stderr
    assert "Traceback" not in done.stderr
