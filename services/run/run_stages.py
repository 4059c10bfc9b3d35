"""Where a run's time went: Airflow, queue or pod, dbt's start, parsing, its nodes, the end. Pure.

Each mark is told by another system, by its own clock; one that is missing makes the stage before it longer, and its
name says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from models.cluster import Pod
from models.run import Invocation, NodeResult, Run
from models.run_state import NodeStatus
from models.types import now

Mark = tuple[str, datetime | None]
"""The stage that begins, and when."""


@dataclass(frozen=True)
class Stage:
    """A part of a run's life, in seconds since it was created."""

    name: str
    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long the stage took, so far if it is not over."""
        return self.end - self.start


def stages(
    run: Run, nodes: Iterable[NodeResult], invocation: Invocation | None = None, pod: Pod | None = None
) -> list[Stage]:
    """What a run has been through, oldest first. The last stage of a live run lasts until now."""
    marks: list[Mark] = [
        ("Handed to Airflow", run.created_at),
        *_way_to_dbt(run, invocation, pod),
        *_dbt(run, list(nodes), invocation),
        ("", run.finished_at if run.state.is_terminal else now()),
    ]
    known = [(name, (moment - run.created_at).total_seconds()) for name, moment in marks if moment is not None]
    latest, ordered = 0.0, []
    for name, second in known:
        latest = max(latest, second)  # two clocks may disagree by a little
        ordered.append((name, latest))
    return [Stage(name, start, end) for (name, start), (_, end) in pairwise(ordered)]


def _way_to_dbt(run: Run, invocation: Invocation | None, pod: Pod | None) -> list[Mark]:
    handed = run.handed_over_at or run.created_at
    if pod:
        return [("Airflow", handed), *_pod(pod)]
    if invocation and invocation.submitted_at:
        return [("Airflow", handed), ("dbt API's queue", invocation.submitted_at)]
    return [("Airflow and queues", handed)]


def _pod(pod: Pod) -> list[Mark]:
    at = {step["title"]: moment for step in pod.steps if (moment := _moment(step))}
    marks: list[Mark] = [("Pod scheduling", at.get("Created"))]
    pulled = at.get("Pulling") and at.get("Pulled")
    marks.append(("Image pull" if pulled else "Pod starts", at.get("Scheduled")))
    if pulled:
        marks.append(("Pod starts", at.get("Pulled")))
    if at.get("Container source started"):
        marks += [("Cloning", at["Container source started"]), ("Pod starts", at.get("Container source ended"))]
    return marks


def _moment(step: Mapping[str, Any]) -> datetime | None:
    return datetime.fromisoformat(step["at"]) if step.get("at") else None


def _dbt(run: Run, nodes: list[NodeResult], invocation: Invocation | None) -> list[Mark]:
    ran = [node for node in nodes if node.status is not NodeStatus.SKIPPED]
    first = min((node.started_at for node in ran if node.started_at), default=None)
    last = max((node.finished_at for node in ran if node.finished_at), default=None)
    is_over = run.state.is_terminal
    started = (invocation and invocation.started_at) or run.started_at
    if invocation is None or invocation.dbt_began_at is None:
        return [("dbt starts and parses", started), ("Nodes", first), ("Wrapping up", last if is_over else None)]
    return [
        ("dbt starts", started),
        ("Parsing", invocation.dbt_began_at),
        ("Reading schemas", invocation.parsed_at),
        ("Nodes", first),
        ("dbt wraps up", last if is_over or invocation.dbt_ended_at else None),
        ("Airflow ends the run", invocation.dbt_ended_at),
    ]
