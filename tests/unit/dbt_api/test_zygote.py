"""What a zygote may start from, and when it refuses: no server needed. What it starts: test_warm.py."""

import subprocess
import sys
from pathlib import Path

import pytest

from dbt_api.running.dbt_process import DbtCall
from dbt_api.running.fingerprint import parse_key
from dbt_api.settings import Settings
from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import ROOT


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
