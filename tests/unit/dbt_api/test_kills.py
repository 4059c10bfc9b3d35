"""kill -9 of server, worker and dbt in every phase of an invocation: nothing lost, nothing twice, no false success.

One site is brought to where an invocation is in each phase at the same moment, held there by gates, a pipe and locks
from outside. Then the victims are killed for real, and started again; each phase is a test of its own.
"""

import json
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.unit.dbt_api import fake_dbt
from tests.unit.dbt_api.cluster import LEASE_SECONDS, Cluster
from tests.unit.dbt_api.postgres import Postgres
from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import Server, eventually
from tests.unit.dbt_api.test_callbacks import ALLOWED, Receiver, receiving

MODES = ["sqlite", "postgres", "worker", "server", "both"]
"""One process that is server and worker, on either database; or two, of which one or both are killed."""
SEPARATE = MODES[2:]
SURVIVING = ["accepted", "queued", "starting", "running", "unwatched", "finishing", "callbacks"]
"""What has to end in a success, and to run exactly once. `unwatched` ends while nobody is there."""


class Site:
    """Server and worker, perhaps one process, and all that holds invocations in their phases."""

    def __init__(self, server: Server, worker: Server, victims: list[Server], witness: Path, hook: Receiver) -> None:
        self.server, self.worker, self.victims, self.witness, self.hook = server, worker, victims, witness, hook

    def submit(self, phase: str, target: str, more: dict[str, Any] | None = None, **variables: str) -> None:
        words = ["run", "--target", target, "--vars", json.dumps(variables)]
        self.server.submit(phase, *words, callback_url=f"{self.hook.url}/{phase}", **(more or {}))

    def open_gate(self, name: str) -> None:
        (self.witness / name).touch()

    def noted(self, name: str) -> list[str]:
        file = self.witness / name
        return file.read_text().split() if file.exists() else []

    def kill_group(self, task_id: str, number: signal.Signals = signal.SIGKILL) -> None:
        os.killpg(self.worker.dbt_pid(task_id), number)

    def kill_shim(self, task_id: str) -> None:
        """Dbt's parent, without which nobody learns how dbt ended."""
        stat = Path(f"/proc/{self.worker.dbt_pid(task_id)}/stat").read_text()
        os.kill(int(stat.rpartition(")")[2].split()[1]), signal.SIGKILL)


def kill_dbt(site: Site) -> None:
    """In three phases dbt itself is the victim, and once together with its shim."""
    phases = {"dbt_running": "gate", "dbt_aborting": "gate", "dbt_and_shim": "gate", "dbt_writing": "results_gate"}
    for phase, gate in phases.items():
        site.submit(phase, phase, None, **{gate: "never"})
    for phase in phases:
        eventually(lambda phase=phase: phase in site.noted("runs"))  # type: ignore[misc]
    results = site.worker.attempt("dbt_writing") / "target" / "run_results.json"
    eventually(lambda: results.exists() and results.read_text() == "{")
    site.kill_group("dbt_aborting", signal.SIGSTOP)
    site.server.call("POST", "/api/v1/invocations/dbt_aborting/abort")
    site.kill_shim("dbt_and_shim")
    for phase in phases:
        site.kill_group(phase)


def bring_into_phases(site: Site, locks: ExitStack) -> None:
    """Every phase in its way; locks come last, because they stop everything."""
    pipe = site.worker.attempt("starting") / "events.jsonl"
    pipe.parent.mkdir(parents=True)
    if site.worker in site.victims:
        os.mkfifo(pipe)  # opening it waits: between the row's STARTED and dbt
    site.submit("starting", "starting")
    eventually((pipe.parent / "lock").exists)
    site.submit("callbacks", "callbacks")
    eventually(lambda: site.hook.refused > 0 and "callbacks" in site.noted("done"))
    assert site.server.ended("callbacks")["state"] == "SUCCESS"
    held = ("running", "unwatched", "aborting", "finishing", "requeued")
    for phase in held:
        more = {"on_lost": "requeue", "max_attempts": 2} if phase == "requeued" else {}
        site.submit(phase, phase, more, gate=f"{phase}.gate")
    site.submit("queued", "running")
    for phase in held:
        eventually(lambda phase=phase: phase in site.noted("runs"))  # type: ignore[misc]
    site.kill_group("aborting", signal.SIGSTOP)
    site.server.call("POST", "/api/v1/invocations/aborting/abort", json={"reason": "enough"})
    lock = locker(site)
    lock(locks, "queue")
    threading.Thread(target=submit_and_lose, args=(site,), daemon=True).start()
    eventually(lambda: site.server.call("GET", "/api/v1/invocations/accepted").ok)
    lock(locks, "store")
    site.open_gate("finishing.gate")
    eventually((site.worker.attempt("finishing") / "exit.json").exists)
    assert "accepted" not in site.noted("runs")


def submit_and_lose(site: Site) -> None:
    """The client gets no answer where the server is killed."""
    try:
        site.submit("accepted", "accepted")
    except OSError:
        return


def kill_and_start_again(site: Site, locks: ExitStack) -> None:
    for victim in site.victims:
        victim.end(signal.SIGKILL)
    site.kill_shim("requeued")
    site.kill_group("requeued")
    site.open_gate("unwatched.gate")
    eventually((site.worker.attempt("unwatched") / "exit.json").exists)
    locks.close()
    if site.worker in site.victims:
        (site.worker.attempt("starting") / "events.jsonl").unlink()
    site.hook.status = 200
    for victim in site.victims:
        victim.start(until_ready=False)
    eventually(lambda: site.server.answers("/ready"))
    site.submit("accepted", "accepted")  # as a client does that got no answer
    site.kill_group("aborting", signal.SIGCONT)
    site.open_gate("running.gate")
    site.open_gate("requeued.gate")


def locker(site: Site) -> Callable[[ExitStack, str], None]:
    """Locks the queue's or the store's table of invocations against writing."""
    url = site.server.environment.get("PILOTHOUSE_DBT_API_DATABASE_URL")

    def lock(locks: ExitStack, which: str) -> None:
        if url is None:
            file = {"queue": "queue.db", "store": "dbt_api.db"}[which]
            opened = sqlite3.connect(site.server.data / file, timeout=30, isolation_level=None)
            locks.callback(opened.close)
            opened.execute("BEGIN IMMEDIATE")
        else:
            table = {"queue": "dbos.workflow_status", "store": "invocation"}[which]
            connection = psycopg.connect(url)
            locks.callback(connection.close)
            connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")

    return lock


def one_process(root: Path, settings: dict[str, str], ends: ExitStack) -> tuple[Server, Server, list[Server]]:
    server = Server(root / "data", WARM="false", DBT=str(fake_dbt.install(root / "fake")), **settings)
    ends.callback(server.end)
    server.start().register("shop", write_project(root / "shop"))
    return server, server, [server]


def two(root: Path, mode: str, settings: dict[str, str], ends: ExitStack) -> tuple[Server, Server, list[Server]]:
    cluster = Cluster(root, settings.pop("DATABASE_URL"), **settings)
    ends.callback(lambda: [each.end() for each in cluster.started])
    cluster.start()
    server, worker = cluster.server, cluster.worker("one")
    return server, worker, {"worker": [worker], "server": [server], "both": [worker, server]}[mode]


@pytest.fixture(scope="module", params=MODES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """What is there after the disaster."""
    root, mode = tmp_path_factory.mktemp(request.param), str(request.param)
    settings = {**ALLOWED, "WORKER_LEASE_SECONDS": str(LEASE_SECONDS), "SLOTS": "12"}
    if mode != "sqlite":
        postgres: Postgres = request.getfixturevalue("postgres")
        settings |= {"DATABASE_URL": postgres.database()}
    with pytest.MonkeyPatch.context() as environment, ExitStack() as ends, receiving() as hook:
        environment.setenv("DBT_ENV_WITNESS", str(root / "fake" / "witness"))
        made = two(root, mode, settings, ends) if mode in SEPARATE else one_process(root, settings, ends)
        hook.status = 500
        built = Site(*made, witness=root / "fake" / "witness", hook=hook)
        kill_dbt(built)
        with ExitStack() as locks:
            bring_into_phases(built, locks)
            kill_and_start_again(built, locks)
        yield built
        assert not (built.witness / "two_writers").exists()


@pytest.mark.parametrize("phase", SURVIVING)
def test_whoever_was_killed_it_runs_once_and_to_its_end(site: Site, phase: str) -> None:
    """D4, D19: nothing is lost, nothing is done twice."""
    ended = site.server.ended(phase)
    assert (ended["state"], ended["outcome"], ended["exit_code"]) == ("SUCCESS", "success", 0)
    assert ended["attempt"] == (2 if phase == "starting" and site.worker in site.victims else 1)
    assert (site.noted("runs").count(phase), site.noted("done").count(phase)) == (1, 1)


def test_a_lost_dbt_is_made_up_for_once_where_that_was_asked_for(site: Site) -> None:
    """D4."""
    ended = site.server.ended("requeued")
    assert (ended["state"], ended["outcome"], ended["attempt"], ended["exc_message"]) == ("SUCCESS", "success", 2, None)
    assert (site.noted("runs").count("requeued"), site.noted("done").count("requeued")) == (2, 1)


def test_an_abort_under_way_stays_one(site: Site) -> None:
    """D5."""
    ended = site.server.ended("aborting")
    assert (ended["state"], ended["outcome"], ended["exc_message"]) == ("ABORTED", "aborted", "enough")
    assert "aborting" not in site.noted("done")


def test_callbacks_that_nobody_heard_are_told_afterwards(site: Site) -> None:
    eventually(lambda: {"STARTED", "SUCCESS"} <= set(site.hook.states("callbacks")))


@pytest.mark.parametrize(
    ("phase", "state", "outcome", "number"),
    [
        ("dbt_running", "FAILURE", "oom", 9),
        ("dbt_writing", "FAILURE", "oom", 9),
        ("dbt_aborting", "ABORTED", "aborted", 9),
        ("dbt_and_shim", "FAILURE", "worker_lost", None),
    ],
)
def test_a_killed_dbt_is_no_success(site: Site, phase: str, state: str, outcome: str, number: int | None) -> None:
    """D1."""
    ended = site.server.ended(phase)
    assert (ended["state"], ended["outcome"], ended["signal"], ended["attempt"]) == (state, outcome, number, 1)
    assert site.noted("runs").count(phase) == 1


def test_what_is_told_as_a_success_was_one(site: Site) -> None:
    listed = site.server.call("GET", "/api/v1/invocations?state=SUCCESS&limit=200").json()["invocations"]
    assert sorted(each["task_id"] for each in listed) == sorted(site.noted("done"))
