"""Fills an empty, migrated store in bulk: projects, runs, invocations, node results, a few logs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

from sqlalchemy import insert, inspect
from sqlmodel import Session, SQLModel

from benchmarks.big_store import logs as made_up_logs
from benchmarks.big_store.habits import DAYS, HABITS, Habit
from benchmarks.big_store.nodes import depends_on, invocation, node_label, results, unique_id
from benchmarks.big_store.runs import LIVE, RunMaker
from contracts.dbt_api import FolderSource
from models.project import Project, ProjectNode, ProjectStep, Step, StepState
from models.run import Invocation, NodeResult, Run
from models.run_state import RunState
from models.types import now
from services import logs
from services.database import session

DETAILED = 8_000
"""So many of the newest runs keep their node results."""
LOGGED = 20
"""So many of the newest finished runs have a log."""
BIG_PROJECT = "ledger"
BIG_THREADS = 16
_BATCH = 10_000
_BLANK_NODE = ProjectNode(project_id=0, unique_id="", name="", resource_type="").model_dump(exclude={"id"})


@dataclass(frozen=True)
class BigStore:
    """What was made."""

    runs: int
    nodes: int
    big_run: int
    """A failed run with all these nodes, the newest finished run of its project."""
    live_runs: tuple[int, ...]


def fill(*, runs: int = 100_000, nodes: int = 3_000, seed: int = 7) -> BigStore:
    """Fill the store of the settings; the same seed makes the same history, up to the present moment."""
    moment = now()
    rows = list(RunMaker(moment, seed).rows(runs))
    big = _make_big(rows, nodes, moment)
    detailed = [row for row in rows[-DETAILED:] if row["finished_at"]]
    with session() as opened:
        for habit in HABITS:
            _add_project(opened, habit, nodes if habit.name == BIG_PROJECT else habit.nodes)
        _insert(opened, Run, rows)
        _insert(opened, Invocation, (invocation(row) for row in rows))
        _insert(opened, NodeResult, _results_of(detailed, big, seed))
    for row in [*detailed[-LOGGED:], big]:
        _write_log(row, big, seed)
    live = tuple(row["id"] for row in rows[-len(LIVE) :] if not row["state"].is_terminal)
    return BigStore(len(rows), nodes, big["id"], live)


def _make_big(rows: list[dict[str, Any]], nodes: int, moment: datetime) -> dict[str, Any]:
    """Turn the newest finished run of the big project into a failed one with all the nodes."""
    big: dict[str, Any] = next(row for row in reversed(rows) if row["project"] == BIG_PROJECT and row["finished_at"])
    bad, warned, skipped = max(1, nodes // 250), nodes // 100, nodes // 20
    big |= {
        "state": RunState.FAILED,
        "message": f"{bad} of {nodes} nodes failed",
        "finished_at": min(moment, big["started_at"] + timedelta(minutes=40)),
        "nodes_total": nodes,
        "nodes_ok": nodes - bad - warned - skipped,
        "nodes_warn": warned,
        "nodes_error": bad,
        "nodes_skipped": skipped,
    }
    return big


def _results_of(rows: Iterable[dict[str, Any]], big: dict[str, Any], seed: int) -> Iterator[dict[str, Any]]:
    """Node results; each run's are always the same."""
    for row in rows:
        yield from _results(row, big, seed)


def _results(row: dict[str, Any], big: dict[str, Any], seed: int) -> Iterator[dict[str, Any]]:
    random = Random(seed + row["id"])
    return results(row, random, threads=BIG_THREADS if row is big else 4)


def _insert(opened: Session, table: type[SQLModel], rows: Iterable[dict[str, Any]]) -> None:
    statement = insert(inspect(table).local_table)
    left = iter(rows)
    while batch := list(islice(left, _BATCH)):
        opened.connection().execute(statement, batch)


def _add_project(opened: Session, habit: Habit, nodes: int) -> None:
    """A project that went through all its steps."""
    made = Project(
        name=habit.name,
        owner=habit.owner,
        created_by=habit.owner,
        created_at=now() - timedelta(days=DAYS),
        source=FolderSource(path=f"/srv/{habit.name}").model_dump(),
        operator=habit.operator,
        operator_parameters=habit.parameters(habit.operator),
        schedule="0 * * * *",
        targets=["dev", "prod"],
        target="prod",
        dbt_project_name=habit.name,
    )
    opened.add(made)
    opened.flush()
    assert made.id is not None
    opened.add_all(ProjectStep(project_id=made.id, step=step, state=StepState.DONE) for step in Step)
    _insert(opened, ProjectNode, (_project_node(made.id, habit.name, number) for number in range(nodes)))


def _project_node(project_id: int, project: str, number: int) -> dict[str, Any]:
    name = node_label(number)
    return {
        **_BLANK_NODE,
        "project_id": project_id,
        "unique_id": unique_id(project, number),
        "name": name,
        "resource_type": unique_id(project, number).partition(".")[0],
        "package": project,
        "path": f"models/{name}.sql",
        "materialized": "table",
        "depends_on": depends_on(project, number),
    }


def _write_log(row: dict[str, Any], big: dict[str, Any], seed: int) -> None:
    with session() as opened:
        found = opened.get_one(Invocation, row["id"])
        data = "".join(made_up_logs.lines(_results(row, big, seed))).encode()
        logs.append(logs.path_of(found), 0, data)
        found.log_bytes = len(data)
