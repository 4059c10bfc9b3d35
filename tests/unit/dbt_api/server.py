"""A real dbt API server as a process of its own, for tests: started, killed, started again on the same data."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "a-token-for-tests"
PATIENCE_SECONDS = 90


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    def __init__(self, data: Path, **settings: str) -> None:
        self.data = data
        self.port = free_port()
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
            **self._settings,
        }
        return {**os.environ, **{f"PILOTHOUSE_DBT_API_{name}": value for name, value in ours.items()}}

    def start(self) -> "Server":
        self.data.mkdir(parents=True, exist_ok=True)
        with (self.data / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dbt_api", "serve"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually(self._is_ready)
        return self

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.data / "server.log").read_text()
        try:
            answer = requests.get(f"{self.url}/ready", timeout=5)
            return answer.ok and not any("is starting" in state for state in answer.json()["engines"].values())
        except requests.ConnectionError:
            return False

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
