"""200 invocations by 20 clients over 8 targets: all end right, never two writers on a target, nothing grows."""

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.unit.dbt_api import fake_dbt
from tests.unit.dbt_api.cluster import Cluster
from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import TOKEN, Server, eventually

CLIENTS, EACH, TARGETS = 20, 10, 8
ALL = {f"c{client}-{number}" for client in range(CLIENTS) for number in range(EACH)}
GROWTH_KB = 40 << 10
WAIT_SECONDS = 30


class Client:
    """Submits its invocations and waits for each, and tries again when nobody answers, as Airflow would."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v1/invocations"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {TOKEN}"
        self.requests = 0
        self.states: dict[str, str] = {}

    def work(self, client: int) -> None:
        for number in range(EACH):
            command = ["run", "--target", f"t{(client + number) % TARGETS}", "--vars", json.dumps({"slow_ms": 30})]
            body = {"task_id": f"c{client}-{number}", "project": "shop", "command": command}
            self._until_answered("POST", self._url, json=body)
        for number in range(EACH):
            self._wait_for(f"c{client}-{number}")

    def _wait_for(self, task_id: str) -> None:
        state = "PENDING"
        while state in ("PENDING", "STARTED"):
            url = f"{self._url}/{task_id}?wait={WAIT_SECONDS}&since_state={state}"
            state = self._until_answered("GET", url).json()["state"]
        self.states[task_id] = state

    def _until_answered(self, method: str, url: str, **options: object) -> requests.Response:
        until = time.monotonic() + 180
        while time.monotonic() < until:
            self.requests += 1
            try:
                answer = self._session.request(method, url, timeout=60, **options)  # type: ignore[arg-type]
            except requests.ConnectionError:
                time.sleep(0.2)
                continue
            if answer.status_code != 503:
                assert answer.ok, answer.text
                return answer
        raise AssertionError(f"nobody answered {method} {url}")


def all_clients(url: str, meanwhile: Callable[[], None]) -> list[Client]:
    clients = [Client(url) for _ in range(CLIENTS)]
    disturbing = threading.Thread(target=meanwhile)
    disturbing.start()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda pair: pair[1].work(pair[0]), enumerate(clients)))
    disturbing.join()
    return clients


def states(clients: list[Client]) -> dict[str, str]:
    return {task_id: state for client in clients for task_id, state in client.states.items()}


@pytest.fixture
def witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "fake" / "witness"
    monkeypatch.setenv("DBT_ENV_WITNESS", str(folder))
    yield folder
    assert not (folder / "two_writers").exists()
    assert Counter((folder / "runs").read_text().split()) == Counter(dict.fromkeys(ALL, 1))


def memory_kb(server: Server) -> int:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def done(witness: Path) -> int:
    runs = witness / "runs"
    return len(runs.read_text().split()) if runs.exists() else 0


def test_on_sqlite_memory_is_flat_and_requests_are_few(tmp_path: Path, witness: Path) -> None:
    """D10: many runs without growth, here 200 of the 1,000."""
    server = Server(tmp_path / "data", SLOTS=str(TARGETS), DBT=str(fake_dbt.install(tmp_path / "fake"))).start()
    server.register("shop", write_project(tmp_path / "shop"))
    measured: list[int] = []

    def measure() -> None:
        eventually(lambda: done(witness) >= len(ALL) // 4)
        measured.append(memory_kb(server))

    clients = all_clients(server.url, measure)
    assert memory_kb(server) - measured[0] < GROWTH_KB
    assert states(clients) == dict.fromkeys(ALL, "SUCCESS")
    assert sum(client.requests for client in clients) <= len(ALL) * 6, "submit, two changes of state, some waits"
    assert server.end(signal.SIGTERM) == 0


def test_on_postgres_two_workers_and_kills_change_nothing(cluster: Cluster, witness: Path) -> None:
    """Server and workers are killed at any moment of the work: nothing lost, nothing twice, never a false SUCCESS."""
    workers = [cluster.worker(name, SLOTS="4", WORKER_LEASE_SECONDS="120") for name in ("one", "two")]

    def kill() -> None:
        for step, victim in enumerate([*workers, cluster.server], start=1):
            eventually(lambda step=step: done(witness) >= len(ALL) * step // 5)  # type: ignore[misc]
            victim.end(signal.SIGKILL)
            victim.start()

    clients = all_clients(cluster.server.url, kill)
    assert states(clients) == dict.fromkeys(ALL, "SUCCESS")
    by = Counter(cluster.server.read(task_id)["worker"] for task_id in list(ALL)[:60])
    assert set(by) == {"one", "two"}
