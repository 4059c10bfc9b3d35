"""Which nodes cost the most time, fail the most often, or cannot make up their mind, over the last runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import Integer, cast
from sqlmodel import col, func, select

from models.run import Invocation, NodeResult, Run
from models.run_state import NodeStatus, RunState
from services.database import session
from services.runs.history import RunFilter

RUNS = 100
"""How many of the newest runs are looked at."""
_BAD = [status for status in NodeStatus if status.is_bad]
_TESTS = ("test", "unit_test")


@dataclass(frozen=True)
class NodeFigures:
    """One node of one project over the last runs."""

    project: str
    unique_id: str
    name: str
    resource_type: str
    times: int
    failures: int
    mean_seconds: float | None
    max_seconds: float | None


@dataclass(frozen=True)
class FlakyTest:
    """A test whose verdict went to and fro: pass to fail to pass."""

    project: str
    name: str
    flips: int
    failures: int
    times: int
    last: NodeStatus


def slowest(chosen: RunFilter, *, most: int = 10) -> list[NodeFigures]:
    """The nodes that take longest on average."""
    seconds = func.avg(NodeResult.seconds)
    return _figures(chosen, having=seconds.is_not(None), order=seconds.desc(), most=most)


def failing(chosen: RunFilter, *, most: int = 10) -> list[NodeFigures]:
    """The nodes that failed most often."""
    return _figures(chosen, having=_failures() > 0, order=_failures().desc(), most=most)


def flaky(chosen: RunFilter, *, most: int = 10) -> list[FlakyTest]:
    """Tests that changed from good to bad or back at least twice, those that did so most often first."""
    doubtful = (
        _results(chosen, Run.project, NodeResult.unique_id)
        .where(col(NodeResult.resource_type).in_(_TESTS))
        .group_by(col(Run.project), col(NodeResult.unique_id))
        .having(_failures() > 0, _failures() < func.count())
        .subquery()
    )
    rows = (
        _results(chosen, Run.project, NodeResult.unique_id, NodeResult.name, NodeResult.status)
        .join(doubtful, (doubtful.c.unique_id == NodeResult.unique_id) & (doubtful.c.project == Run.project))
        .order_by(col(Run.project), col(NodeResult.unique_id), col(Run.id))
    )
    with session() as opened:
        stories = [list(story) for _, story in groupby(opened.exec(rows), key=lambda row: (row[0], row[1]))]
    found = [_flaky(story) for story in stories]
    return sorted((each for each in found if each.flips >= 2), key=lambda each: -each.flips)[:most]


def _flaky(story: Sequence[tuple[str, str, str, NodeStatus]]) -> FlakyTest:
    verdicts = [status.is_bad for *_, status in story]
    flips = sum(before is not after for before, after in pairwise(verdicts))
    project, _, name, last = story[-1]
    return FlakyTest(project, name, flips, sum(verdicts), len(verdicts), last)


def _failures() -> Any:
    return func.sum(cast(col(NodeResult.status).in_(_BAD), Integer))


def _results(chosen: RunFilter, *columns: Any) -> Any:
    """Node results, skipped and unfinished ones left out, of the newest finished runs that fit."""
    terminal = [state for state in RunState if state.is_terminal]
    newest = (
        select(Run.id)
        .where(*chosen.conditions(), col(Run.state).in_(terminal))
        .order_by(col(Run.created_at).desc())
        .limit(RUNS)
    )
    left_out = (NodeStatus.SKIPPED, NodeStatus.STARTED, NodeStatus.INTERRUPTED)
    return (
        select(*columns)
        .select_from(NodeResult)
        .join(Invocation, col(Invocation.id) == col(NodeResult.invocation_id))
        .join(Run, col(Run.id) == col(Invocation.run_id))
        .where(col(Run.id).in_(newest), col(NodeResult.status).not_in(left_out))
    )


def _figures(chosen: RunFilter, *, having: Any, order: Any, most: int) -> list[NodeFigures]:
    columns = (
        *(Run.project, NodeResult.unique_id, func.max(NodeResult.name), func.max(NodeResult.resource_type)),
        *(func.count(), _failures(), func.avg(NodeResult.seconds), func.max(NodeResult.seconds)),
    )
    rows = (
        _results(chosen, *columns)
        .group_by(col(Run.project), col(NodeResult.unique_id))
        .having(having)
        .order_by(order)
        .limit(most)
    )
    with session() as opened:
        return [NodeFigures(*row) for row in opened.exec(rows)]
