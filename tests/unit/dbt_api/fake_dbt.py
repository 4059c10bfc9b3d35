"""Stands in for dbt where the queue is under test: quick, with dbt's events, exit codes and answer to SIGINT.

It holds an exclusive lock on its target while it runs, counts its runs and notes which came to their end, so that a
second writer, a second run, or a success that was none cannot stay unnoticed. All lie in the folder DBT_ENV_WITNESS,
which servers with different data folders may share.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import stat
import sys
import time
from typing import Any


def install(folder: pathlib.Path) -> pathlib.Path:
    """An executable copy, with the witness's folder beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "witness").mkdir(exist_ok=True)
    script = folder / "dbt"
    script.write_text(f"#!{sys.executable} -IS\n{pathlib.Path(__file__).read_text()}")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def emit(name: str, level: str = "info", message: str = "", **data: Any) -> None:
    info = {"name": name, "level": level, "msg": message or name, "ts": time.strftime("%Y-%m-%dT%H:%M:%SZ")}
    sys.stdout.write(json.dumps({"info": info, "data": data}) + "\n")
    sys.stdout.flush()


def option(name: str, otherwise: str = "") -> str:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else otherwise


def run(witness: pathlib.Path, variables: dict[str, Any]) -> None:
    emit("LogStartLine", "debug", "START sql")
    time.sleep(variables.get("slow_ms", 0) / 1000)
    wait_at(witness, variables.get("gate"))
    emit("CommandCompleted", "debug", success=True)


def wait_at(witness: pathlib.Path, gate: str | None) -> None:
    """Until the test opens the gate: a file of that name."""
    while gate is not None and not (witness / gate).exists():
        time.sleep(0.01)


def write_results(witness: pathlib.Path, results: pathlib.Path, variables: dict[str, Any]) -> None:
    with results.open("w") as file:
        file.write("{")
        file.flush()
        wait_at(witness, variables.get("results_gate"))
        file.write("}")


def note(witness: pathlib.Path, name: str, task_id: str) -> None:
    with (witness / name).open("a") as file:
        file.write(f"{task_id}\n")


def main() -> int:
    witness = pathlib.Path(os.environ["DBT_ENV_WITNESS"])
    target_path = pathlib.Path(os.environ["DBT_TARGET_PATH"])
    task_id, project = target_path.parts[-3], pathlib.Path.cwd().name
    emit("MainReportVersion", version="=1.12.6")
    if not pathlib.Path("dbt_project.yml").is_file():
        return 2
    with (witness / f"{project}.{option('--target', 'dev')}.lock").open("a") as lock, contextlib.ExitStack() as ended:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            (witness / "two_writers").touch()
            return 1
        note(witness, "runs", task_id)
        variables = json.loads(option("--vars", "{}"))
        ended.callback(write_results, witness, target_path / "run_results.json", variables)
        try:
            run(witness, variables)
        except KeyboardInterrupt:
            emit("LogCancelLine", "error", "interrupted")
            return 2
    note(witness, "done", task_id)
    return int(variables.get("exit_code", 0))


if __name__ == "__main__":
    sys.exit(main())
