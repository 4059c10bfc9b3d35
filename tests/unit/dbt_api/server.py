"""A real dbt API server as a process of its own, for tests: started, killed, started again on the same data."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import create_engine, text

from tests.ports import free_ports

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "a-token-for-tests"
PATIENCE_SECONDS = 90
POLL_SECONDS = "0.25"
"""An idle server that looks for work as often as by default takes a tenth of a core, and several stand by here."""


class Server:
    def __init__(self, data: Path, *words: str, **settings: str) -> None:
        self._words = words or ("serve",)
        self.data = data
        [self.port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        self._settings = settings

    @property
    def environment(self) -> dict[str, str]:
        ours = {
            "DATA": str(self.data),
            "PORT": str(self.port),
            "TOKEN": TOKEN,
            "FOLDER_ROOTS": f'["{self.data.parent}"]',
            "HOLD_SECONDS": "1",
            "SLOTS": "2",
            "QUEUE_POLL_SECONDS": POLL_SECONDS,
            **self._settings,
        }
        return {**os.environ, **{f"PILOTHOUSE_DBT_API_{name}": value for name, value in ours.items()}}

    def start(self, *, until_ready: bool = True) -> "Server":
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dbt_api", *self._words],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if until_ready:
            eventually(lambda: self.answers("/ready"))
        return self

    def answers(self, path: str) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.data / "server.log").read_text()
        try:
            answer = requests.get(self.url + path, timeout=5)
            warming = answer.json().get("engines", {}).values() if path == "/ready" else ()
            return answer.ok and not any("is starting" in state for state in warming)
        except requests.ConnectionError:
            return False

    def says(self, path: str = "/ready") -> int:
        """Status of an open route."""
        return requests.get(self.url + path, timeout=20).status_code

    def end(self, number: signal.Signals = signal.SIGTERM) -> int | None:
        if self.process is None:
            return None
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        self.process = None
        return code

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {TOKEN}", **options.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, timeout=120, **options)

    def make_token(self, *scopes: str, **more: Any) -> str:
        body = {"name": "tester", "scopes": scopes, **more}
        answer = self.call("POST", "/api/v1/tokens", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["secret"])

    def call_with(self, token: str, method: str, path: str, **options: Any) -> requests.Response:
        return self.call(
            method, path, headers={"Authorization": f"Bearer {token}", **options.pop("headers", {})}, **options
        )

    def register(self, name: str, folder: Path) -> None:
        source = {"kind": "folder", "path": str(folder)}
        answer = self.call("PUT", f"/api/v1/projects/{name}", json={"source": source})
        assert answer.ok, answer.text

    def submit(self, task_id: str, *command: str, project: str = "shop", **more: Any) -> dict[str, Any]:
        body = {"task_id": task_id, "project": project, "command": list(command), **more}
        answer = self.call("POST", "/api/v1/invocations", json=body)
        assert answer.ok, answer.text
        return dict(answer.json())

    def read(self, task_id: str) -> dict[str, Any]:
        return dict(self.call("GET", f"/api/v1/invocations/{task_id}").json())

    def ended(self, task_id: str) -> dict[str, Any]:
        eventually(lambda: self.read(task_id)["state"] not in ("PENDING", "STARTED"))
        return self.read(task_id)

    def sleeping(self, task_id: str) -> None:
        """Wait until dbt is in the middle of the slow model."""
        log = self.attempt(task_id) / "events.jsonl"
        eventually(lambda: log.exists() and b"START sql" in log.read_bytes())

    def attempt(self, task_id: str, number: int = 1) -> Path:
        return self.data / "invocations" / task_id / str(number)

    def add_attempt(self, task_id: str, number: int, log: bytes) -> None:
        """Let an ended invocation have a further attempt that left this log, as if the one before had been lost."""
        folder = self.attempt(task_id, number)
        folder.mkdir()
        (folder / "events.jsonl").write_bytes(log)
        with sqlite3.connect(self.data / "dbt_api.db") as store:
            store.execute("update invocation set attempt = ? where task_id = ?", (number, task_id))

    def execute(self, statement: str) -> None:
        """Change the store behind the server's back."""
        self._execute(self._settings.get("DATABASE_URL", f"sqlite:///{self.data / 'dbt_api.db'}"), statement)

    def execute_in_queue(self, statement: str) -> None:
        """Change DBOS's tables behind the server's back."""
        self._execute(self._settings.get("DATABASE_URL", f"sqlite:///{self.data / 'queue.db'}"), statement)

    def _execute(self, url: str, statement: str) -> None:
        made = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        with made.begin() as connection:
            if made.dialect.name == "postgresql":
                connection.execute(text("set search_path = public, dbos"))
            connection.execute(text(statement))
        made.dispose()

    def dbt_pid(self, task_id: str, number: int = 1) -> int:
        return int((self.attempt(task_id, number) / "dbt.pid").read_text())


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
