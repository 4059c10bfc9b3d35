"""The history of runs, read from our own store: one run, pages of runs, and what runs usually take."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import literal_column
from sqlalchemy.orm import load_only
from sqlmodel import Session, col, func, or_, select, true

from contracts.operators import OperatorName
from contracts.run_conf import DbtCommand
from models.project import Project
from models.run import Invocation, NodeResult, Run, Trigger
from models.run_state import RunState
from services.database import session
from services.errors import NotFound

_TIMES = (col(Run.state), col(Run.created_at), col(Run.started_at), col(Run.finished_at))
_NEWEST_FIRST = (col(Run.created_at).desc(), col(Run.id).desc())


@dataclass(frozen=True)
class RunFilter:
    """Which runs to list; an empty part means any. `since` and `until` are about when a run was created."""

    projects: Sequence[str] = ()
    states: Sequence[RunState] = ()
    operators: Sequence[OperatorName] = ()
    triggers: Sequence[Trigger] = ()
    people: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    """Words that must all be found in project, command, message, person, commit or Airflow's run id."""

    def conditions(self) -> list[Any]:
        """The filter in SQL."""
        columns = (
            (col(Run.project), self.projects),
            (col(Run.state), self.states),
            (col(Run.operator), self.operators),
            (col(Run.trigger), self.triggers),
            (col(Run.launched_by), self.people),
        )
        chosen: list[Any] = [column.in_(values) for column, values in columns if values]
        if self.since:
            chosen.append(col(Run.created_at) >= self.since)
        if self.until:
            chosen.append(col(Run.created_at) < self.until)
        return [*chosen, *(_holds(word) for word in self.text.split())]


def _holds(word: str) -> Any:
    """Whether any text of a run, or its number, holds the word; capitals do not matter."""
    texts = (Run.project, Run.command, Run.message, Run.launched_by, Run.git_sha, Run.dag_run_id)
    found = or_(*(col(text).icontains(word, autoescape=True) for text in texts))
    return or_(found, col(Run.id) == int(word)) if word.isdigit() and len(word) < 18 else found


@dataclass(frozen=True)
class RunPage:
    """One page of runs, how many there are in all, and how many of them live."""

    runs: list[Run] = field(default_factory=list)
    total: int = 0
    live: int = 0


LIVE = [state for state in RunState if not state.is_terminal]
OVER = [state for state in RunState if state.is_terminal]


def list_runs(chosen: RunFilter | None = None, *, page: int = 1, page_size: int = 50) -> RunPage:
    """One page of the runs that fit: those that live, then those that are over, newest first; pages count from 1."""
    conditions = (chosen or RunFilter()).conditions()
    start = (page - 1) * page_size
    with session() as opened:
        total, live = _counted(opened, conditions)
        rows = _newest(opened, conditions, col(Run.state).in_(LIVE), start, page_size) if start < live else []
        rows += _newest(opened, conditions, _is_over(), max(0, start - live), page_size - len(rows))
    return RunPage(rows, total, live)


def count_runs(chosen: RunFilter) -> int:
    """How many runs fit."""
    with session() as opened:
        return opened.exec(select(func.count()).select_from(Run).where(*chosen.conditions())).one()


def _counted(opened: Session, conditions: list[Any]) -> tuple[int, int]:
    """How many runs fit, and how many of them live."""
    count = select(func.count()).select_from(Run)
    live = opened.exec(count.where(*conditions, col(Run.state).in_(LIVE))).one()
    return opened.exec(count.where(*conditions)).one(), live


def _is_over() -> Any:
    """The unary plus keeps SQLite from gathering three states by their index and sorting them all: by far the most
    runs are over, so walking along the newest is quicker.
    """
    return literal_column("+run.state").in_([str(state) for state in OVER])


def last_runs(projects: Sequence[str], *, most: int = 20) -> dict[str, list[Run]]:
    """The last runs of each of these projects, newest first, with no more of each than its state and times."""
    with session() as opened:
        return {name: _newest(opened, [Run.project == name], true(), 0, most, _TIMES) for name in projects}


def recent_projects(*, most: int) -> list[str]:
    """The projects that ran last, deleted ones left out."""
    last = select(func.max(Run.created_at)).where(Run.project == Project.name).correlate(Project).scalar_subquery()
    with session() as opened:
        return list(opened.exec(select(Project.name).order_by(last.desc().nulls_last(), Project.name).limit(most)))


def _newest(
    opened: Session, conditions: list[Any], which: Any, offset: int, limit: int, only: Sequence[Any] = ()
) -> list[Run]:
    query = select(Run).where(*conditions, which).order_by(*_NEWEST_FIRST)
    query = query.options(load_only(*only)) if only else query
    return list(opened.exec(query.offset(offset).limit(limit)))


def get_run(run_id: int) -> Run:
    """One run as last collected. Raises NotFound."""
    with session() as opened:
        if run := opened.get(Run, run_id):
            return run
    raise NotFound(f"There is no run {run_id}.", hint="It may have been deleted with its project.")


def invocations_of(run_id: int) -> list[Invocation]:
    """The invocations of a run: the first try, then Airflow's retries."""
    with session() as opened:
        rows = select(Invocation).where(Invocation.run_id == run_id).order_by(col(Invocation.try_number))
        return list(opened.exec(rows))


def last_results(project: str) -> dict[str, NodeResult]:
    """The newest result of each node of a project, by unique_id, whatever the target."""
    newest = _results(select(func.max(NodeResult.id)), project).group_by(col(NodeResult.unique_id))
    with session() as opened:
        rows = opened.exec(select(NodeResult).where(col(NodeResult.id).in_(newest)))
        return {row.unique_id: row for row in rows}


def results_of_node(project: str, unique_id: str, *, limit: int = 10) -> list[tuple[NodeResult, Run]]:
    """The results of one node, newest first, each with its run."""
    chosen = _results(select(NodeResult, Run), project).where(NodeResult.unique_id == unique_id)
    with session() as opened:
        return list(opened.exec(chosen.order_by(col(NodeResult.id).desc()).limit(limit)))


def _results(query: Any, project: str) -> Any:
    """Results of what executed nodes: the other commands only compile them."""
    compiled = [col(Run.command).startswith(str(command)) for command in (DbtCommand.COMPILE, DbtCommand.DOCS_GENERATE)]
    joined = query.select_from(NodeResult).join(Invocation, col(Invocation.id) == NodeResult.invocation_id).join(Run)
    return joined.where(Run.project == project, ~or_(*compiled))


def known_people() -> list[str]:
    """Everyone who ever launched a run, by name."""
    return _distinct(col(Run.launched_by))


def known_projects() -> list[str]:
    """Every project that has runs, deleted ones too, by name."""
    return _distinct(col(Run.project))


def _distinct(column: Any) -> list[str]:
    """The values of an indexed column, found by jumping from one to the next larger one."""
    found = select(func.min(column).label("value")).cte("found", recursive=True)
    larger = select(func.min(column)).where(column > found.c.value).scalar_subquery()
    found = found.union_all(select(larger).select_from(found).where(found.c.value.is_not(None)))
    with session() as opened:
        return [value for (value,) in opened.execute(select(found.c.value)) if value is not None]


def usual_seconds(run: Run, *, of_last: int = 10) -> float | None:
    """How long a run like this usually takes: the median of the last successful ones with the same command."""
    with session() as opened:
        rows = (
            select(Run)
            .where(
                Run.project == run.project,
                Run.command == run.command,
                Run.state == RunState.SUCCEEDED,
                col(Run.id) != run.id,
                col(Run.started_at).is_not(None),
                col(Run.finished_at).is_not(None),
            )
            .order_by(col(Run.created_at).desc())
            .limit(of_last)
        )
        lasted = [
            (r.finished_at - r.started_at).total_seconds() for r in opened.exec(rows) if r.started_at and r.finished_at
        ]
    return statistics.median(lasted) if lasted else None
