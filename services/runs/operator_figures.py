"""The operators compared by our own history: start-up, duration, failures, and what their pods asked for."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from contracts.operators import OperatorName
from contracts.quantities import amount
from models.run import Run
from services.database import session
from services.runs.figures import Figures, elapsed, figures_by
from services.runs.history import OVER, RunFilter

_PODS = [name for name in OperatorName if name.runs_in_pods]
_GIBIBYTE = 1024**3


@dataclass(frozen=True)
class Requested:
    """CPU and memory that pods asked for, times the time that dbt ran in them; a mean over runs."""

    core_hours: float
    gibibyte_hours: float


@dataclass(frozen=True)
class OperatorFigures:
    """One operator. `requested` is None where runs ask for nothing of their own."""

    operator: OperatorName
    figures: Figures
    requested: Requested | None


@dataclass(frozen=True)
class SameWork:
    """One command of one project, on every operator that has run it."""

    project: str
    command: str
    by_operator: dict[OperatorName, Figures]


def by_operator(chosen: RunFilter) -> list[OperatorFigures]:
    """Each operator that has finished runs among those that fit."""
    requested = _requested(chosen)
    found = figures_by(chosen, col(Run.operator))
    return [OperatorFigures(name, each, requested.get(name)) for (name,), each in sorted(found.items())]


def same_work(chosen: RunFilter, *, most: int = 10) -> list[SameWork]:
    """What more than one operator has run, most often run first: the only fair comparison of their times."""
    found: dict[tuple[str, str], dict[OperatorName, Figures]] = {}
    for (project, command, name), each in figures_by(
        chosen, *map(col, (Run.project, Run.command, Run.operator))
    ).items():
        found.setdefault((project, command), {})[name] = each
    shared = [SameWork(*kind, by_name) for kind, by_name in found.items() if len(by_name) > 1]
    return sorted(shared, key=lambda work: -sum(each.runs for each in work.by_operator.values()))[:most]


def _requested(chosen: RunFilter) -> dict[OperatorName, Requested]:
    """What the pods of each operator asked for, in the mean; a limit without a request is one."""
    cpu, memory = (
        func.coalesce(
            *(func.json_extract(Run.conf, f"$.operator_parameters.{kind}_{how}") for how in ("request", "limit"))
        )
        for kind in ("cpu", "memory")
    )
    rows = (
        select(col(Run.operator), cpu, memory, func.sum(elapsed(Run.started_at, Run.finished_at)), func.count())
        .where(*chosen.conditions(), col(Run.state).in_(OVER), col(Run.operator).in_(_PODS))
        .where(col(Run.finished_at).is_not(None), col(Run.started_at).is_not(None))
        .group_by(col(Run.operator), cpu, memory)
    )
    sums: dict[OperatorName, list[float]] = {}
    with session() as opened:
        for name, cores, size, seconds, runs in opened.execute(rows):
            total = sums.setdefault(name, [0.0, 0.0, 0])
            total[0] += float(_amount(cores)) * seconds / 3600
            total[1] += float(_amount(size)) / _GIBIBYTE * seconds / 3600
            total[2] += runs
    return {name: Requested(cores / runs, size / runs) for name, (cores, size, runs) in sums.items() if cores or size}


def _amount(quantity: Any) -> Decimal:
    try:
        return amount(str(quantity)) if quantity else Decimal(0)
    except ValueError:
        return Decimal(0)
