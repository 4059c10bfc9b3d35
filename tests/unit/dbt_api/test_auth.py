"""Nothing but /ready and /healthz answers without the token."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.unit.dbt_api.server import ROOT, TOKEN, Server

OPEN = {"/ready", "/healthz"}


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_every_other_route_wants_the_login(server: Server) -> None:
    paths = requests.get(f"{server.url}/openapi.json", auth=("pilothouse", TOKEN), timeout=5).json()["paths"]
    assert set(paths) > OPEN
    for path, methods in {**paths, "/openapi.json": {"get": {}}}.items():
        for method in methods:
            answer = requests.request(method, server.url + path.replace("{name}", "shop"), timeout=5)
            assert (answer.status_code == 401) == (path not in OPEN), (method, path)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer wrong",
        f"bearer {TOKEN}x",
        basic("pilothouse", "x"),
        basic("root", TOKEN),
        "Basic %%%",
        "X y",
    ],
)
def test_a_wrong_login_is_refused_and_both_schemes_named(server: Server, header: str) -> None:
    answer = requests.get(f"{server.url}/invocations", headers={"Authorization": header}, timeout=5)
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["WWW-Authenticate"]
    assert "Basic" in answer.headers["WWW-Authenticate"]
    assert TOKEN not in answer.text


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", basic("pilothouse", TOKEN)])
def test_either_scheme_opens(server: Server, header: str) -> None:
    assert requests.get(f"{server.url}/invocations", headers={"Authorization": header}, timeout=5).ok


def test_without_a_secret_that_it_may_make_the_server_refuses_to_start(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PILOTHOUSE_")}
    environment["PILOTHOUSE_DBT_API_GENERATE_TOKEN"] = "false"
    environment["PILOTHOUSE_DBT_API_DATA"] = str(tmp_path / "dbt_api")
    command = [sys.executable, "-m", "dbt_api", "serve"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "PILOTHOUSE_DBT_API_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr
