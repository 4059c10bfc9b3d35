"""An empty store, a real dbt API server for the session, and an Airflow that is not there."""

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from services import database
from services.settings import ROOT, settings

CLOSED_PORT = "http://127.0.0.1:9"
ENVIRONMENTS = Path(os.environ.get("PILOTHOUSE_ENVIRONMENTS", ROOT / ".pilothouse" / "environments"))
START_SECONDS = 120


def _use(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"PILOTHOUSE_{name.upper()}", value)
    settings.cache_clear()


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty store; Airflow and the dbt API are addresses where nobody listens."""
    away = {"airflow_url": CLOSED_PORT, "airflow_password": "unused", "dbt_api_url": CLOSED_PORT}
    _use(monkeypatch, data=str(tmp_path / "console"), dbt_api_token="unused", **away)
    database.engine.cache_clear()
    database.migrate()
    yield tmp_path
    database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()


@pytest.fixture(scope="session")
def dbt_api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A real dbt API server: its address and token, as the console's settings."""
    data = tmp_path_factory.mktemp("dbt_api")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    token = secrets.token_urlsafe(16)
    own = {"DATA": str(data), "PORT": str(port), "TOKEN": token, "FOLDER_ROOTS": f'["{data.parents[1]}", "{ROOT}"]'}
    with (data / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [str(ENVIRONMENTS / "dbt" / "bin" / "python"), "-m", "dbt_api", "serve"],
            cwd=ROOT,
            env=os.environ | {f"PILOTHOUSE_DBT_API_{name}": value for name, value in own.items()},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(server, f"http://127.0.0.1:{port}/ready", data / "server.log")
        yield {"dbt_api_url": f"http://127.0.0.1:{port}", "dbt_api_token": token}
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def dbt_api(dbt_api_server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The console's settings name the real dbt API server."""
    _use(monkeypatch, **dbt_api_server)


def _wait_until_ready(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.2)
    raise AssertionError(f"the dbt API server did not start: {log.read_text()}")
