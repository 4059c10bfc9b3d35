"""What the history adds up to: how many runs, how well they end, how long they wait and take, operator by operator."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import col, func, select

from contracts.operators import OperatorName
from models.run import Run
from models.run_state import RunState
from models.types import now
from services.database import session
from services.history import RunFilter

BUCKETS = 14
USUAL_PERIOD = timedelta(days=BUCKETS)
SAMPLE = 5_000
"""Figures other than counts are of at most so many runs, the newest: more would not change them."""
SLOW_FACTOR = 1.5
SLOW_SECONDS = 5.0
"""A run is slow when it took so many times, and so many seconds more than, the median of its like."""


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
    """The figures of a period, and of each of its equal parts, oldest first."""

    period: timedelta
    total: Figures
    trend: list[Figures]
    failing_projects: list[str]
    """Projects whose newest finished run failed."""


def summary(chosen: RunFilter) -> Summary:
    """The figures of the runs that fit, since the filter's beginning or for the last two weeks."""
    until = chosen.until or now()
    since = chosen.since or until - USUAL_PERIOD
    found = timings(replace(chosen, since=since))
    part = (until - since) / BUCKETS
    parts: list[list[Timing]] = [[] for _ in range(BUCKETS)]
    for timing in found:
        parts[min(BUCKETS - 1, int((timing.created_at - since) / part))].append(timing)
    return Summary(until - since, figures(found), [figures(each) for each in parts], failing_projects(chosen.projects))


def figures(found: Sequence[Timing]) -> Figures:
    """The figures of these runs."""
    lasted = [each.seconds for each in found if each.seconds is not None and each.state is RunState.SUCCEEDED]
    waited = [each.queued_seconds for each in found if each.queued_seconds is not None]
    failed = sum(each.state is RunState.FAILED for each in found)
    judged = failed + sum(each.state is RunState.SUCCEEDED for each in found)
    return Figures(
        runs=len(found),
        failed=failed,
        success_rate=(judged - failed) / judged if judged else None,
        median_seconds=statistics.median(lasted) if lasted else None,
        p95_seconds=_p95(lasted),
        queued_seconds=statistics.median(waited) if waited else None,
    )


def _p95(values: list[float]) -> float | None:
    """The smallest value that at least 95 of 100 do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[-(-95 * len(ordered) // 100) - 1] if ordered else None


def timings(chosen: RunFilter, *, most: int = SAMPLE) -> list[Timing]:
    """The newest finished runs that fit, newest first, slow ones marked."""
    columns = (
        *(Run.id, Run.project, Run.command, Run.operator, Run.state, Run.created_at, Run.started_at, Run.finished_at),
    )
    terminal = [state for state in RunState if state.is_terminal]
    rows = (
        select(*columns)  # type: ignore[call-overload]
        .where(*chosen.conditions(), col(Run.state).in_(terminal))
        .order_by(col(Run.created_at).desc())
        .limit(most)
    )
    with session() as opened:
        return _with_slow_ones([_timing(*row) for row in opened.exec(rows)])


def _timing(
    run_id: int,
    project: str,
    command: str,
    operator: OperatorName,
    state: RunState,
    created_at: datetime,
    started_at: datetime | None,
    finished_at: datetime | None,
) -> Timing:
    queued = (started_at - created_at).total_seconds() if started_at else None
    lasted = (finished_at - started_at).total_seconds() if started_at and finished_at else None
    return Timing(run_id, project, command, operator, state, created_at, queued, lasted)


def _with_slow_ones(found: list[Timing]) -> list[Timing]:
    usual = _medians(found)
    return [
        replace(each, is_slow=is_slow(each.seconds, usual.get((each.project, each.command)))) if each.seconds else each
        for each in found
    ]


def _medians(found: Iterable[Timing]) -> dict[tuple[str, str], float]:
    lasted: dict[tuple[str, str], list[float]] = {}
    for each in found:
        if each.state is RunState.SUCCEEDED and each.seconds is not None:
            lasted.setdefault((each.project, each.command), []).append(each.seconds)
    return {like: statistics.median(values) for like, values in lasted.items()}


def usual_durations(runs: Sequence[Run]) -> dict[tuple[str, str], float]:
    """Median seconds of the successful runs with the same project and command, for each kind among `runs`."""
    return _medians(timings(RunFilter(projects=sorted({run.project for run in runs})), most=2_000)) if runs else {}


def is_slow(seconds: float | None, usual: float | None) -> bool:
    """Whether a run took notably longer than its like."""
    return (
        seconds is not None and usual is not None and seconds > usual * SLOW_FACTOR and seconds > usual + SLOW_SECONDS
    )


def failing_projects(among: Sequence[str] = ()) -> list[str]:
    """Projects whose newest run that succeeded or failed is one that failed, by name."""
    newest = (
        select(func.max(Run.id))
        .where(col(Run.state).in_([RunState.SUCCEEDED, RunState.FAILED]), *RunFilter(projects=among).conditions())
        .group_by(col(Run.project))
    )
    with session() as opened:
        failed = select(Run.project).where(col(Run.id).in_(newest), Run.state == RunState.FAILED)
        return sorted(opened.exec(failed))


def by_operator(chosen: RunFilter) -> dict[OperatorName, Figures]:
    """The figures of each operator that has runs."""
    found = timings(chosen)
    used = sorted({each.operator for each in found})
    return {name: figures([each for each in found if each.operator is name]) for name in used}
