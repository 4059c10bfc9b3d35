"""The command line: every wrong setting a sentence, a generated token that nobody sees, migrate, doctor."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.unit.dbt_api.server import ROOT, TOKEN, Server


def run(data: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PILOTHOUSE_")}
    environment |= {f"PILOTHOUSE_DBT_API_{name}": value for name, value in {"DATA": str(data), **settings}.items()}
    command = [sys.executable, "-m", "dbt_api", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"PORT": "http"}, "PILOTHOUSE_DBT_API_PORT: Input should be a valid integer"),
        ({"FOLDER_ROOTS": "/srv"}, "PILOTHOUSE_DBT_API_FOLDER_ROOTS: lists are written as JSON"),
        ({"DATABASE_URL": "mysql://me:hidden@host/x"}, "PILOTHOUSE_DBT_API_DATABASE_URL: it has to begin with sqlite"),
        ({"WORKER_ID": "a b"}, "PILOTHOUSE_DBT_API_WORKER_ID: "),
        ({"DATABASE_URL": "postgresql://me:hidden@127.0.0.1:1/x"}, "The database cannot be reached"),
    ],
)
def test_a_wrong_setting_is_one_sentence_without_its_value(
    tmp_path: Path, settings: dict[str, str], expected: str
) -> None:
    done = run(tmp_path / "data", "serve", **settings)
    assert done.returncode == 2
    assert expected in done.stderr
    assert "hidden" not in done.stderr


def test_migrate_says_what_it_did_and_doctor_what_to_do(tmp_path: Path) -> None:
    data = tmp_path / "dbt_api"
    before = run(data, "doctor", DBT="/nowhere/dbt")
    assert before.returncode == 1
    assert "holds no schema → python -m dbt_api migrate" in before.stdout
    assert "/nowhere/dbt is no program → set PILOTHOUSE_DBT_API_DBT" in before.stdout
    assert re.search(r"from version none to \d+", run(data, "migrate").stdout)
    assert "nothing to do" in run(data, "migrate").stdout

    secret = tmp_path / "secrets" / "pilothouse_dbt_api_token"
    secret.parent.mkdir()
    secret.write_text("hidden")
    secret.chmod(0o644)
    after = run(data, "doctor")
    assert after.returncode == 1
    assert f"→ chmod 600 {secret}" in after.stdout
    assert "hidden" not in after.stdout
    assert "PROBLEM  workers: none is alive" in after.stdout
    assert "ok       database: SQLite can be written" in after.stdout


def test_the_first_start_makes_a_token_and_the_doctor_is_content(tmp_path: Path) -> None:
    server = Server(
        tmp_path / "data", WARM="false", LOG_FORMAT="json", TOKEN=""
    )  # an empty token is none: nobody may hold it
    server.start()
    try:
        file = tmp_path / "secrets" / "pilothouse_dbt_api_token"
        token = file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert len(token) > 30
        url = f"{server.url}/api/v1/workers?token=in-the-url"
        asked = {"Authorization": f"Bearer {token}", "X-Request-Id": "my-id"}
        answer = requests.get(url, headers=asked, timeout=20)
        assert answer.headers["X-Request-Id"] == "my-id"
        assert [each["id"] for each in answer.json()] == ["local"]
        assert requests.get(url, headers={"Authorization": "Bearer "}, timeout=20).status_code == 401
        strange = requests.get(f"{server.url}/healthz", headers={"X-Request-Id": "a b"}, timeout=20)
        assert re.fullmatch("[0-9a-f]{32}", strange.headers["X-Request-Id"])
        examined = run(server.data, "doctor", FOLDER_ROOTS=f'["{tmp_path}"]')
        assert examined.returncode == 0, examined.stdout
    finally:
        server.end()
    log = (server.data / "server.log").read_text()
    assert str(file) in log
    assert token not in log
    assert "in-the-url" not in log
    lines = [json.loads(line) for line in log.splitlines()]
    [asked_for] = [line for line in lines if line.get("request_id") == "my-id"]
    assert asked_for["route"] == "/api/v1/workers"
    assert (asked_for["method"], asked_for["status"]) == ("GET", 200)
    assert asked_for["ms"] >= 0


def test_metrics_and_version_need_the_login(server: Server) -> None:
    server.submit("measured", "ls", "--select", "orders")
    server.ended("measured")
    for path in ("/metrics", "/version"):
        assert requests.get(server.url + path, timeout=20).status_code == 401
    told = server.call("GET", "/metrics").text
    assert re.search(r'dbt_invocations_total\{command="ls",project="shop",state="SUCCESS"\} [1-9]', told)
    assert "dbt_workers_alive 1.0" in told
    assert "dbt_queue_depth 0.0" in told
    for name in ("dbt_queue_age_seconds", "dbt_invocations_running", "dbt_recoveries_total"):
        assert re.search(rf"^{name} \d", told, re.MULTILINE), name
    assert re.search(r'dbt_api_requests_total\{method="POST",route="/api/v1/invocations",status="202"\} [1-9]', told)
    assert re.search(
        r'dbt_invocation_duration_seconds_count\{command="ls",project="shop",state="SUCCESS"\} [1-9]', told
    )
    assert TOKEN not in told
    version = server.call("GET", "/version").json()
    assert version["dbt"]["core"] == "1.12.6"
    assert version["schema_version"]
