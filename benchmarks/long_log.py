"""Made-up dbt logs of any length, and a run in the console's store that has one.

PILOTHOUSE_DATA=/tmp/store python -m benchmarks.long_log 1000000        # makes a run, prints its number
PILOTHOUSE_DATA=/tmp/store python -m benchmarks.long_log 1000 --running # a run that goes on
"""

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from contracts.names import dag_id_of, invocation_task_id
from contracts.operators import OperatorName
from contracts.run_conf import RunConf
from models.run import Invocation, Run
from models.run_state import RunState
from models.types import now
from services import database, health, logs
from services.database import session

NODES = 300
FIRST_ERROR = 777
"""The first line that is an error; after every 25,000 lines there is one more."""
ERRORS_EVERY = 25_000
_START = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
_LINE = (
    '{"data": {%s}, "info": {"category": "", "code": "E017", "extra": {}, '
    '"invocation_id": "0d5c53d5-2c35-4c07-8ca1-9a2b4e1c6f10", "level": "%s", "msg": %s, "name": "%s", "pid": 7180, '
    '"thread": "Thread-%d (worker)", "ts": "%s"}}\n'
)
_ABOUT = '"node_info": {"node_name": "%s", "resource_type": "model", "unique_id": "model.shop.%s"}'
_SQL = "create or replace table main.%s as (\n    select * from staging where batch = %d\n  )"


def lines(count: int, *, first: int = 1, start: datetime = _START) -> Iterator[bytes]:
    """So many lines, numbered from `first`: mostly debug, some SQL of several rows; info, warnings, a few errors."""
    for number in range(first, first + count):
        name = f"model_{number % NODES:03}"
        level, event, text = _said(number, name)
        about = _ABOUT % (name, name) if number % 10 else ""
        moment = (start + timedelta(milliseconds=7 * number)).isoformat(timespec="microseconds")
        yield (_LINE % (about, level, json.dumps(text), event, number % 4 + 1, moment)).encode()


def _said(number: int, name: str) -> tuple[str, str, str]:
    if number % ERRORS_EVERY == FIRST_ERROR:
        text = f'Database Error in model {name}\n  Binder Error: column "berth_no" not found\n  LINE 14: berth_no'
        return "error", "RunResultError", text
    if number % 5_000 == 0:
        return "warn", "DeprecatedModel", f"[WARNING]: {name} was deprecated long ago"
    if number % 4 == 0:
        done = f"{number} \x1b[32mOK\x1b[0m created sql table model main.{name}"
        return "info", "LogModelResult", f"{done} ........ [\x1b[32mOK\x1b[0m in 0.{number % 90:02}s]"
    if number % 50 == 1:
        return "debug", "SQLQuery", _SQL % (name, number)
    return "debug", "SQLQueryStatus", f"SQL status: OK in 0.0{number % 9} seconds, batch {number} of {name}"


def run_with_log(count: int, *, running: bool = False) -> tuple[int, Path]:
    """Store a run with a log of so many lines, not indexed yet; answers its number and where the log lies."""
    database.migrate()
    for system in health.SYSTEMS:
        health.report(system, reachable=True, version="made up")
    began = now() - timedelta(minutes=20)
    key = f"long_log-{began.timestamp()}"
    with session() as opened:
        run = Run(
            project="shop", dag_id=dag_id_of("shop"), dag_run_id=key, operator=OperatorName.DBT_API, command="build",
            conf=RunConf().model_dump(mode="json"), state=RunState.RUNNING if running else RunState.SUCCEEDED,
            created_at=began, handed_over_at=began, started_at=began, finished_at=None if running else now(),
            collected=not running, collected_at=now(),
        )  # fmt: skip
        opened.add(run)
        opened.flush()
        made = Invocation(
            run_id=run.id or 0, try_number=1, task_id=invocation_task_id(run.dag_id, key, "dbt", 1), state=run.state,
            started_at=began, finished_at=run.finished_at, log_complete=not running, task_log_complete=not running,
        )  # fmt: skip
        opened.add(made)
    path = logs.path_of(made)
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        made_lines = lines(count)
        while batch := b"".join(islice(made_lines, 10_000)):
            file.write(batch)
    return made.run_id, path


def main() -> None:
    """Make a run and print its number, and where its log lies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--running", action="store_true")
    given = parser.parse_args()
    number, path = run_with_log(given.lines, running=given.running)
    sys.stdout.write(f"{number} {path}\n")


if __name__ == "__main__":
    main()
