"""Server and workers as processes of their own on one Postgres, each with its own data folder as on its own host."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.dbt_api import fake_dbt
from tests.unit.dbt_api.cluster import Cluster, gated, slow
from tests.unit.dbt_api.postgres import Postgres
from tests.unit.dbt_api.server import ROOT, Server, eventually, is_running

Start = Callable[..., Server]


def test_two_workers_share_the_work_and_one_carries_on_alone(short_leased: Cluster) -> None:
    """D4, D11: the killed worker's invocation is accounted for, and nobody writes to its target before that."""
    short_leased.worker("one", SLOTS="1")
    short_leased.worker("two", SLOTS="1")
    for target in ("dev", "prod"):
        short_leased.server.submit(target, *slow(600, "--target", target))
        short_leased.started_running(target)
    assert {short_leased.server.read(target)["worker"] for target in ("dev", "prod")} == {"one", "two"}
    short_leased.server.submit("after", "run", "--target", "dev")
    killed, left = short_leased.worker_of("dev"), short_leased.worker_of("prod")
    pid = killed.dbt_pid("dev")

    killed.end(signal.SIGKILL)
    short_leased.server.call("POST", "/api/v1/invocations/prod/abort")
    assert short_leased.server.read("dev")["state"] == "STARTED", "nobody may know yet that it is lost"

    ended = short_leased.server.ended("dev")
    assert (ended["state"], ended["outcome"]) == ("FAILURE", "worker_lost")
    assert killed.data.parent.name in ended["exc_message"]
    assert not is_running(pid), "the lease's guard ended it first"
    after = short_leased.server.ended("after")
    assert (after["state"], after["worker"]) == ("SUCCESS", left.data.parent.name)
    assert after["started_at"] >= ended["finished_at"]
    assert short_leased.server.ended("prod")["state"] == "ABORTED"
    told = short_leased.workers()
    assert (told[killed.data.parent.name]["is_lost"], told[killed.data.parent.name]["is_alive"]) == (True, False)
    assert told[left.data.parent.name]["is_alive"]
    assert sorted(short_leased.runs()) == ["after", "dev", "prod"]


def test_a_worker_that_was_cut_off_ends_its_dbt_and_itself(short_leased: Cluster) -> None:
    cut_off = short_leased.worker("one")
    short_leased.server.submit("run", *slow(600))
    short_leased.started_running("run")
    pid = cut_off.dbt_pid("run")
    short_leased.worker("two")
    short_leased.server.submit("after", "run")
    assert cut_off.process is not None

    cut_off.process.send_signal(signal.SIGSTOP)
    assert short_leased.server.ended("run")["outcome"] == "worker_lost"
    assert not is_running(pid)
    assert short_leased.server.ended("after")["worker"] == "two"

    cut_off.process.send_signal(signal.SIGCONT)
    assert cut_off.process.wait(timeout=60) == 3
    assert short_leased.server.read("run")["outcome"] == "worker_lost"
    assert short_leased.runs() == ["run", "after"]
    assert short_leased.worker("one").says() == 200, "it may come back"


def test_a_worker_that_is_back_in_time_goes_on(cluster: Cluster) -> None:
    worker = cluster.worker("one")
    cluster.worker("two")
    cluster.server.submit("run", *gated("open"))
    cluster.started_running("run")
    owner = cluster.worker_of("run")

    owner.end(signal.SIGKILL)
    owner.start()
    cluster.open_gate("open")

    ended = cluster.server.ended("run")
    assert (ended["state"], ended["attempt"], ended["worker"]) == ("SUCCESS", 1, owner.data.parent.name)
    assert cluster.runs() == ["run"]
    assert worker.says() == 200


def test_a_drained_worker_lets_dbt_end_and_leaves_the_rest_to_others_at_once(cluster: Cluster) -> None:
    leaving = cluster.worker("one", DRAIN_SECONDS="60")
    cluster.server.submit("run", *gated("open"))
    cluster.started_running("run")
    assert leaving.process is not None
    leaving.process.send_signal(signal.SIGTERM)
    eventually(lambda: leaving.says() == 503)
    cluster.server.submit("other", "run", "--target", "prod")
    cluster.open_gate("open")

    assert leaving.process.wait(timeout=60) == 0

    assert cluster.server.read("run")["state"] == "SUCCESS"
    assert cluster.server.read("other")["state"] == "PENDING"
    cluster.worker("two")
    assert cluster.server.ended("other")["worker"] == "two"
    told = cluster.workers()["one"]
    assert (bool(told["gone_at"]), told["is_lost"], told["is_alive"]) == (True, False, False)


def test_the_server_is_ready_with_a_live_worker_only(short_leased: Cluster) -> None:
    """D8: probes tested against a dead worker. D3: a server killed between storing and queueing loses nothing."""
    assert short_leased.server.says() == 503
    short_leased.server.submit("run", "run")
    short_leased.server.execute_in_queue("delete from workflow_status")
    worker = short_leased.worker("one")
    eventually(lambda: short_leased.server.says() == 200)
    assert short_leased.server.call("GET", "/ready").json()["workers"] == 1
    assert short_leased.server.ended("run")["state"] == "SUCCESS"
    worker.end(signal.SIGKILL)
    eventually(lambda: short_leased.server.says() == 503)
    assert short_leased.server.says("/healthz") == 200
    assert "No worker is alive" in short_leased.server.call("GET", "/ready").text


def test_another_sealing_key_is_refused_at_the_start(cluster: Cluster) -> None:
    """Else an invocation with hidden values would fail on this worker, some day."""
    for key in ("another", ""):
        stranger = cluster.process("one", "worker", SEALING_KEY=key)
        stranger.data.mkdir(parents=True, exist_ok=True)
        code, told = refused(stranger.environment, "worker")
        assert code == 2
        assert "same PILOTHOUSE_DBT_API_SEALING_KEY" in told
        assert "another" not in told
        cluster.started.remove(stranger)
    assert "PROBLEM  sealing key" in doctor(stranger.environment)
    assert "ok       sealing key" in doctor(cluster.server.environment)


def doctor(environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "dbt_api", "doctor"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60).stdout


def test_a_name_belongs_to_one_worker(short_leased: Cluster, tmp_path: Path) -> None:
    first = short_leased.worker("one")
    for data in (tmp_path / "elsewhere", first.data):
        code, told = refused(first.environment | {"PILOTHOUSE_DBT_API_DATA": str(data)}, "worker")
        assert code == 2
        assert "already" in told
    assert first.says() == 200
    short_leased.server.submit("run", *slow(600))
    short_leased.started_running("run")

    first.end(signal.SIGKILL)
    again = short_leased.process("one", "worker")
    again.data = again.data.parent / "new"
    again.start()

    assert short_leased.server.ended("run")["outcome"] == "worker_lost"
    short_leased.server.submit("after", "run")
    assert short_leased.server.ended("after")["state"] == "SUCCESS"


def test_while_the_database_is_away_nothing_is_half_submitted_and_dbt_goes_on(
    cluster: Cluster, postgres: Postgres
) -> None:
    """D3: store down → 503, then everything goes on."""
    worker = cluster.worker("one")
    cluster.server.submit("run", *gated("open"))
    cluster.started_running("run")

    postgres.stop()
    body = {"task_id": "away", "project": "shop", "command": ["run"]}
    answer = cluster.server.call("POST", "/api/v1/invocations", json=body)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert cluster.server.call("GET", "/api/v1/invocations/run").status_code == 503
    assert cluster.server.says() == 503
    cluster.open_gate("open")
    eventually((worker.attempt("run") / "exit.json").exists)
    postgres.start()

    eventually(lambda: cluster.server.call("POST", "/api/v1/invocations", json=body).ok)
    assert cluster.server.ended("run")["state"] == "SUCCESS"
    assert cluster.server.ended("away")["state"] == "SUCCESS"
    assert sorted(cluster.runs()) == ["away", "run"]


def refused(environment: dict[str, str], *words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "dbt_api", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_on_sqlite_a_second_process_is_refused(start_server: Start, tmp_path: Path) -> None:
    server = start_server()
    for words in (["worker"], ["serve", "--no-worker"]):
        code, told = refused(server.environment, *words)
        assert code == 2
        assert "PILOTHOUSE_DBT_API_DATABASE_URL" in told
    code, told = refused(server.environment | {"PILOTHOUSE_DBT_API_PORT": "0"}, "serve")
    assert code == 2
    assert str(tmp_path) in told


def test_a_stopped_worker_makes_up_for_what_asked_for_it(
    start_server: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = tmp_path / "fake" / "witness"
    monkeypatch.setenv("DBT_ENV_WITNESS", str(witness))
    server = start_server(DBT=str(fake_dbt.install(tmp_path / "fake")))
    server.submit("stopped", "run", "--vars", '{"gate": "open"}', on_lost="requeue", max_attempts=2)
    server.sleeping("stopped")
    assert server.end(signal.SIGTERM) == 0
    (witness / "open").touch()
    server.start()
    stopped = server.ended("stopped")
    assert (stopped["state"], stopped["attempt"], stopped["exc_message"]) == ("SUCCESS", 2, None)
