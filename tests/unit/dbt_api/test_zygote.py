"""What a zygote may start from, when it refuses, and how long it stays. What it starts: test_warm.py."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dbt_api.running.dbt_process import DbtCall
from dbt_api.running.fingerprint import parse_key
from dbt_api.running.zygotes import PROGRAM
from dbt_api.settings import Settings
from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import ROOT, Server, eventually


def test_what_a_parse_depends_on_changes_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as another DuckDB file by a variable, a package linked from elsewhere, a `.env` file further up."""
    monkeypatch.setattr("dbt_api.running.dbt_process.settings", lambda: Settings(data=tmp_path / "data"))
    project = write_project(tmp_path / "shop")
    (tmp_path / "package").mkdir()
    (project / "dbt_packages").mkdir()
    (project / "dbt_packages" / "linked").symlink_to(tmp_path / "package")

    def key(*words: str) -> str:
        return parse_key(DbtCall("shop", project, ["run", *words], "dev", "default"))

    seen = [key()]
    assert key() == seen[0]
    assert key("--select", "orders", "--threads", "4") == seen[0]
    (tmp_path / "package" / "macro.sql").write_text("{% macro a() %}{% endmacro %}")
    seen.append(key())
    (tmp_path / ".env").write_text("DBT_ENV_FILE=2")
    seen.append(key())
    monkeypatch.setenv("DBT_ENV_FILE", "other.duckdb")
    seen += [key(), key("--target", "prod"), key("--vars", "a: 1"), key("--vars", "a: 2")]
    (project / "models" / "orders.sql").write_text("select 2 as id")  # of the same size and within the same second
    seen.append(key())
    assert len(set(seen)) == len(seen)


def test_a_process_with_threads_or_an_open_database_refuses_to_fork(tmp_path: Path) -> None:
    program = """
import sys, threading, duckdb
sys.path.append(sys.argv[1])
import dbt_api.zygote.fork_context
from dbt_api.zygote import serving
serving.SETTLE_SECONDS = 0.1

def refused():
    try:
        serving.check_safe_to_fork()
    except RuntimeError as error:
        return str(error)

end = threading.Event()
thread = threading.Thread(target=end.wait)
thread.start()
print(refused())
end.set()
thread.join()
file = open(sys.argv[2])
print(refused())
file.close()
print(refused())
"""
    database = tmp_path / "a.duckdb"
    database.touch()
    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT), str(database)], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines() == [
        "dbt keeps threads, so its process cannot be forked",
        "dbt keeps a database open, so its process cannot be forked",
        "None",
    ], done.stderr


def test_patches_leave_a_dbt_alone_that_they_were_not_made_for() -> None:
    program = """
import sys
sys.path.append(sys.argv[1])
import dbt.compilation, dbt_common.clients.system
from dbt_api.zygote import patches
linker, before = dbt.compilation.Linker, dbt_common.clients.system.write_json
linker.find_cycles = other = lambda self, more: None
patches.version = "1.13.0"
patches.apply()
print(dbt_common.clients.system.write_json is before)
patches.version = "1.12.6"
patches.apply()
print(linker.find_cycles is other, dbt_common.clients.system.write_json is before)
"""
    done = subprocess.run([sys.executable, "-c", program, str(ROOT)], capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == ["True", "True False"], done.stderr


@pytest.mark.parametrize("answer", ["not sent", "not read"])
def test_a_server_killed_in_mid_order_still_learns_how_its_dbt_was_killed(tmp_path: Path, answer: str) -> None:
    """After its restart: the zygote stays with what it has just started, though nobody hears it."""
    project, attempt = write_project(tmp_path / "shop"), tmp_path / "attempt"
    (attempt / "target").mkdir(parents=True)
    server, own = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-I", "-X", "utf8", str(PROGRAM), str(own.fileno())]
    variables = {"PATH": os.environ["PATH"], "PILOTHOUSE_PROJECT_DATA": str(tmp_path)}
    paths = {"DBT_TARGET_PATH": str(attempt / "target"), "DBT_LOG_PATH": str(attempt / "logs")}
    words = ["--log-format", "json", "run", "--select", "slow", "--vars", '{"slow_ms": 600000}']
    order: dict[str, Any] = {"do": "run", "words": words, "cwd": str(project), "environment": variables | paths}
    with subprocess.Popen(command, pass_fds=[own.fileno()], env=variables, start_new_session=True) as zygote:
        own.close()
        assert json.loads(server.recv(1000)) == {"ready": True}
        with (attempt / "lock").open("w") as lock, (attempt / "events.jsonl").open("w") as log:
            fcntl.flock(lock, fcntl.LOCK_EX)
            message = json.dumps(order | {"folder": str(attempt), "memory_limit_bytes": 0}).encode()
            socket.send_fds(server, [message], [lock.fileno(), log.fileno()])
        if answer == "not read":
            eventually((attempt / "dbt.pid").exists)
        server.close()
        eventually((attempt / "dbt.pid").exists)
        os.kill(int((attempt / "dbt.pid").read_text()), signal.SIGKILL)
        eventually(lambda: zygote.poll() is not None)
    assert json.loads((attempt / "exit.json").read_text())["signal"] == signal.SIGKILL


def test_a_changed_environment_is_warm_again_while_dbt_of_the_old_one_runs(tmp_path: Path) -> None:
    dbt, packages = own_environment(tmp_path / "environment")
    server = Server(tmp_path / "data", DBT=str(dbt)).start()
    try:
        server.register("shop", write_project(tmp_path / "shop"))
        server.submit("old", "run", "--select", "slow", "--vars", '{"slow_ms": 600000}')
        server.sleeping("old")
        assert server.read("old")["engine"] == "warm"
        (packages / "something.py").touch()
        server.submit("notices", "ls", "--target", "prod")
        assert "environment was changed" in server.ended("notices")["engine_reason"]
        eventually(lambda: server.call("GET", "/ready").json()["engines"]["default"] == "ready")
        server.submit("new", "ls", "--target", "prod")
        assert server.ended("new")["engine"] == "warm"
        assert server.read("old")["state"] == "STARTED"
        server.call("POST", "/api/v1/invocations/old/abort", json={"mode": "now"})
        assert server.ended("old")["state"] == "ABORTED"
    finally:
        server.end()


def own_environment(folder: Path) -> tuple[Path, Path]:
    """A dbt environment that a test may change, with the packages of ours: its dbt, and its folder of packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    [ours] = [Path(each) for each in sys.path if each.endswith("site-packages")]
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "ours.pth").write_text(str(ours))
    for name in ("dbt_core", "dbt_duckdb"):
        [facts] = ours.glob(f"{name}-*.dist-info")
        (packages / facts.name).symlink_to(facts)
    dbt = folder / "bin" / "dbt"
    dbt.write_text(f"#!{folder}/bin/python\nfrom dbt.cli.main import cli\ncli()\n")
    dbt.chmod(0o755)
    return dbt, packages
