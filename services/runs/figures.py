"""What the history adds up to: how many runs, how well they end, how long they wait and take. SQL does the sums."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, case, cast, func, literal, select
from sqlmodel import col

from contracts.operators import OperatorName
from models.project import Project
from models.run import Run
from models.run_state import RunState
from models.types import UtcDateTime, now
from services.database import session
from services.runs.history import OVER, RunFilter

BUCKETS = 14
USUAL_PERIOD = timedelta(days=BUCKETS)
USUAL_RUNS = 20
"""What a run usually takes is the median of so many successes of its like."""
SLOW_FACTOR = 1.5
SLOW_SECONDS = 5.0
"""A run is slow when it took so many times, and so many seconds more than, the median of its like."""
_JUDGED = (RunState.SUCCEEDED, RunState.FAILED)


@dataclass(frozen=True)
class Timing:
    """One finished run in figures."""

    run_id: int
    project: str
    command: str
    operator: OperatorName
    state: RunState
    created_at: datetime
    queued_seconds: float | None
    seconds: float | None
    is_slow: bool = False


@dataclass(frozen=True)
class Figures:
    """The figures of some runs. Shares and times are None where no run tells them."""

    runs: int = 0
    failed: int = 0
    success_rate: float | None = None
    """Succeeded of succeeded and failed; cancelled runs count for neither."""
    median_seconds: float | None = None
    p95_seconds: float | None = None
    queued_seconds: float | None = None
    """Median time from launch until dbt, or what stood in for it, started."""


@dataclass(frozen=True)
class Summary:
    """The figures of a period, of the period before it, and of each of its equal parts, oldest first."""

    period: timedelta
    total: Figures
    before: Figures
    trend: list[Figures]
    failing_projects: list[str]
    """Projects whose newest finished run failed."""
    failing_trend: list[int]
    """How many projects were failing at the end of each part."""


def summary(chosen: RunFilter) -> Summary:
    """The figures of the runs that fit, since the filter's beginning or for the last two weeks."""
    until = chosen.until or now()
    since = chosen.since or until - USUAL_PERIOD
    asked = replace(chosen, since=since, until=chosen.until)
    before = replace(chosen, since=since - (until - since), until=since)
    part = _part(since, until)
    parts = figures_by(asked, part)
    failing = failing_projects(chosen.projects)
    return Summary(
        period=until - since,
        total=figures_of(asked),
        before=figures_of(before),
        trend=[parts.get((number,), Figures()) for number in range(BUCKETS)],
        failing_projects=failing,
        failing_trend=[*_failing_trend(replace(asked, states=()), part)[:-1], len(failing)],
    )


def figures_of(chosen: RunFilter) -> Figures:
    """The figures of all finished runs that fit."""
    return figures_by(chosen)[()]


def figures_by(chosen: RunFilter, *groups: Any) -> dict[tuple[Any, ...], Figures]:
    """The figures of the finished runs that fit, for each combination of the groups' values."""
    labelled = [group.label(f"group_{number}") for number, group in enumerate(groups)]
    lasted = case((col(Run.state) == RunState.SUCCEEDED, elapsed(Run.started_at, Run.finished_at)))
    waited = elapsed(Run.created_at, Run.started_at)
    timed = (
        select(*labelled, col(Run.state).label("state"), lasted.label("lasted"), waited.label("waited"))
        .where(*chosen.conditions(), col(Run.state).in_(OVER))
        .cte("timed")
    )
    names = [label.name for label in labelled]
    ranked = _ranked(timed, names)
    keys = [ranked.c[name] for name in names]
    succeeded, failed = (func.sum(case((ranked.c.state == state, 1), else_=0)) for state in _JUDGED)
    figures = (func.count(), failed, succeeded, *(_median(ranked, each) for each in ("lasted", "waited")), _p95(ranked))
    with session() as opened:
        rows = opened.execute(select(*keys, *figures).group_by(*keys)).all()
    return {tuple(row[: len(keys)]): _figures(*row[len(keys) :]) for row in rows}


def _ranked(timed: Any, names: Sequence[str]) -> Any:
    """Each time with its place among its group's, the longest first, and how many there are."""
    keys = [timed.c[name] for name in names] or None
    columns = [
        column
        for name, value in (("lasted", timed.c.lasted), ("waited", timed.c.waited))
        for column in (
            func.row_number().over(partition_by=keys, order_by=value.desc()).label(f"{name}_place"),
            func.count(value).over(partition_by=keys).label(f"{name}_known"),
        )
    ]
    return select(timed, *columns).cte("ranked")


def _median(ranked: Any, name: str) -> Any:
    value, place, known = (ranked.c[each] for each in (name, f"{name}_place", f"{name}_known"))
    return func.avg(case((place.in_([(known + 1) // 2, (known + 2) // 2]), value)))


def _p95(ranked: Any) -> Any:
    """The smallest value that at least 95 of 100 do not exceed (nearest rank)."""
    known = ranked.c.lasted_known
    return func.max(case((ranked.c.lasted_place == known - (95 * known + 99) // 100 + 1, ranked.c.lasted)))


def _figures(
    runs: int, failed: int | None, succeeded: int | None, median: float | None, waited: float | None, p95: float | None
) -> Figures:
    judged = (failed or 0) + (succeeded or 0)
    rate = (succeeded or 0) / judged if judged else None
    return Figures(runs, failed or 0, rate, *(_rounded(each) for each in (median, p95, waited)))


def _rounded(seconds: float | None) -> float | None:
    """Whole milliseconds: SQLite's days are no more exact than that."""
    return None if seconds is None else round(seconds, 3)


def elapsed(start: Any, end: Any) -> Any:
    """Seconds between two moments, in SQL."""
    return (func.julianday(end) - func.julianday(start)) * 86_400.0


def _part(since: datetime, until: datetime) -> Any:
    """Which of the equal parts of a period a run was created in, in SQL."""
    seconds = (until - since).total_seconds() / BUCKETS
    number = cast(elapsed(literal(since, UtcDateTime()), Run.created_at) / seconds, Integer)
    return func.min(BUCKETS - 1, number)


def timings(chosen: RunFilter, *, most: int) -> list[Timing]:
    """The newest finished runs that fit, newest first, slow ones marked."""
    columns: tuple[Any, ...] = (
        *(Run.id, Run.project, Run.command, Run.operator, Run.state, Run.created_at),
        *(elapsed(Run.created_at, Run.started_at), elapsed(Run.started_at, Run.finished_at)),
    )
    rows = (
        select(*columns)
        .where(*chosen.conditions(), col(Run.state).in_(OVER))
        .order_by(col(Run.created_at).desc())
        .limit(most)
    )
    with session() as opened:
        found = [Timing(*row[:6], *(_rounded(each) for each in row[6:])) for row in opened.execute(rows)]
    usual = usual_durations({(each.project, each.command) for each in found})
    return [
        replace(each, is_slow=is_slow(each.seconds, usual.get((each.project, each.command)))) if each.seconds else each
        for each in found
    ]


def usual_durations(kinds: set[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Median seconds of the last successful runs with the same project and command, for each such pair."""
    lasted: dict[tuple[str, str], float] = {}
    with session() as opened:
        for project, command in kinds:
            rows = (
                select(elapsed(Run.started_at, Run.finished_at))
                .where(col(Run.project) == project, col(Run.command) == command)
                .where(col(Run.state) == RunState.SUCCEEDED)
                .order_by(col(Run.created_at).desc())
                .limit(USUAL_RUNS)
            )
            if seconds := [each for each in opened.scalars(rows) if each is not None]:
                lasted[project, command] = round(statistics.median(seconds), 3)
    return lasted


def is_slow(seconds: float | None, usual: float | None) -> bool:
    """Whether a run took notably longer than its like."""
    return (
        seconds is not None and usual is not None and seconds > usual * SLOW_FACTOR and seconds > usual + SLOW_SECONDS
    )


def failing_projects(among: Sequence[str] = ()) -> list[str]:
    """Projects, deleted ones left out, whose newest run that succeeded or failed is one that failed, by name."""
    newest = (
        select(col(Run.state))
        .where(col(Run.project) == Project.name, col(Run.state).in_(_JUDGED))
        .order_by(col(Run.created_at).desc(), col(Run.id).desc())
        .limit(1)
        .correlate(Project)
        .scalar_subquery()
    )
    named = [col(Project.name).in_(among)] if among else []
    with session() as opened:
        return sorted(opened.scalars(select(col(Project.name)).where(newest == RunState.FAILED, *named)))


def _failing_trend(chosen: RunFilter, part: Any) -> list[int]:
    """How many projects' last verdict so far was a failure, at the end of each part."""
    rows = (
        # With max() SQLite takes the other columns from the row that has the greatest value.
        select(part, col(Run.project), col(Run.state), func.max(Run.created_at))
        .where(*chosen.conditions(), col(Run.state).in_(_JUDGED))
        .group_by(part, col(Run.project))
    )
    verdicts: list[dict[str, RunState]] = [{} for _ in range(BUCKETS)]
    with session() as opened:
        for number, project, state, _ in opened.execute(rows):
            verdicts[number][project] = state
    last: dict[str, RunState] = {}
    counts = []
    for each in verdicts:
        last |= each
        counts.append(sum(state is RunState.FAILED for state in last.values()))
    return counts
