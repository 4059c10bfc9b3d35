"""Server and workers as processes of their own on one Postgres, each with its own data folder as on its own host."""

import json
from pathlib import Path
from typing import Any

from tests.unit.dbt_api import fake_dbt
from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import Server, eventually

LEASE_SECONDS = 120
SHORT_LEASE_SECONDS = 5


def slow(seconds: float, *more: str) -> tuple[str, ...]:
    return ("run", "--vars", json.dumps({"slow_ms": seconds * 1000}), *more)


def gated(gate: str, *more: str) -> tuple[str, ...]:
    return ("run", "--vars", json.dumps({"gate": gate}), *more)


class Cluster:
    """One server without a worker, with the project `shop`; workers by name."""

    def __init__(self, folder: Path, url: str, **settings: str) -> None:
        self._folder = folder
        self.witness = folder / "fake" / "witness"
        self._settings = {
            "DATABASE_URL": url,
            "DBT": str(fake_dbt.install(folder / "fake")),
            "WORKER_LEASE_SECONDS": str(LEASE_SECONDS),
            "SEALING_KEY": "one for all",
            "FOLDER_ROOTS": f'["{folder}"]',
            **settings,
        }
        self.started: list[Server] = []
        self.server = self.process("server", "serve", "--no-worker")

    def process(self, name: str, *words: str, **settings: str) -> Server:
        made = Server(self._folder / name / "data", *words, **{**self._settings, "WORKER_ID": name, **settings})
        self.started.append(made)
        return made

    def worker(self, name: str, **settings: str) -> Server:
        return self.process(name, "worker", **settings).start()

    def start(self) -> None:
        """Only now: a server alone is not ready."""
        self.server.start(until_ready=False)
        eventually(lambda: self.server.answers("/healthz"))
        self.server.register("shop", write_project(self._folder / "shop"))

    def workers(self) -> dict[str, dict[str, Any]]:
        return {each["id"]: each for each in self.server.call("GET", "/api/v1/workers").json()}

    def worker_of(self, task_id: str) -> Server:
        name = self.server.read(task_id)["worker"]
        return next(each for each in self.started if each.data.parent.name == name)

    def runs(self) -> list[str]:
        file = self.witness / "runs"
        return file.read_text().split() if file.exists() else []

    def open_gate(self, name: str) -> None:
        """Let the dbt end that waits there."""
        (self.witness / name).touch()

    def started_running(self, task_id: str) -> None:
        eventually(lambda: task_id in self.runs())
