"""Where a run's time went: its stages, its nodes by thread, the chain of nodes that decided how long it took."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from models.run import NodeResult, Run
from models.run_state import NodeStatus
from models.types import now


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


@dataclass(frozen=True)
class Bar:
    """One node's time on its thread, in seconds since the first node began."""

    node: NodeResult
    start: float
    end: float
    is_critical: bool = False

    @property
    def seconds(self) -> float:
        """How long the node took, so far if it still runs."""
        return self.end - self.start


@dataclass(frozen=True)
class Timeline:
    """The nodes of one invocation over time."""

    bars: list[Bar]
    peak: int
    """The most nodes that ran at a moment."""
    busy_share: float
    """Share of the threads' time in which a node ran; the rest they waited for others."""
    critical_seconds: float
    """Time of the critical path's nodes: with any number of threads, the run takes at least as long."""

    @property
    def critical(self) -> list[Bar]:
        """The critical path from its first node to its last."""
        return sorted((bar for bar in self.bars if bar.is_critical), key=lambda bar: bar.start)


def stages(run: Run, nodes: Iterable[NodeResult]) -> list[Stage]:
    """What a run has been through, oldest first. The last stage of a live run lasts until now."""
    ran = [node for node in nodes if node.status is not NodeStatus.SKIPPED]
    began = min((node.started_at for node in ran if node.started_at), default=None)
    ended = max((node.finished_at for node in ran if node.finished_at), default=None) if _is_over(run) else None
    marks: list[tuple[str, datetime | None]] = [
        ("Handed to Airflow", run.created_at),
        ("Airflow and queues", run.handed_over_at or run.created_at),
        ("dbt starts and parses", run.started_at),
        ("Nodes", began),
        ("Wrapping up", ended),
        ("", run.finished_at if _is_over(run) else now()),
    ]
    known = [(name, (moment - run.created_at).total_seconds()) for name, moment in marks if moment is not None]
    return [Stage(name, start, max(start, end)) for (name, start), (_, end) in pairwise(known)]


def _is_over(run: Run) -> bool:
    return run.state.is_terminal


def timeline(
    nodes: Sequence[NodeResult], depends_on: Mapping[str, Sequence[str]], *, until: datetime | None = None
) -> Timeline | None:
    """The nodes that began, by time; None when none did. What has not ended lasts until `until`, or until now."""
    bars = _bars(nodes, until or now())
    if not bars:
        return None
    path = _critical_path(bars, depends_on)
    marked = [Bar(bar.node, bar.start, max(bar.start, bar.end), bar.node.unique_id in path) for bar in bars]
    return Timeline(
        sorted(marked, key=lambda bar: bar.start),
        _peak(marked),
        _busy_share(marked),
        sum(bar.seconds for bar in marked if bar.is_critical),
    )


def _bars(nodes: Sequence[NodeResult], until: datetime) -> list[Bar]:
    """A bar for each node that ran: dbt gives a skipped one a start, but it never had a thread's time."""
    ran = [(node, node.started_at) for node in nodes if node.started_at and node.status is not NodeStatus.SKIPPED]
    origin = min((start for _, start in ran), default=until)
    return [
        Bar(node, (start - origin).total_seconds(), ((node.finished_at or until) - origin).total_seconds())
        for node, start in ran
    ]


def _critical_path(bars: Sequence[Bar], depends_on: Mapping[str, Sequence[str]]) -> set[str]:
    """From the node that ended last, back over whichever of its ancestors ended last."""
    by_id = {bar.node.unique_id: bar for bar in bars}
    bar: Bar | None = max(bars, key=lambda bar: bar.end)
    path: set[str] = set()
    while bar is not None and bar.node.unique_id not in path:
        path.add(bar.node.unique_id)
        parents = [by_id[name] for name in depends_on.get(bar.node.unique_id, ()) if name in by_id]
        bar = max(parents, key=lambda bar: bar.end, default=None)
    return path


def _peak(bars: Iterable[Bar]) -> int:
    """The most bars that overlap; one that ends as another begins does not."""
    changes = sorted([*((bar.start, 1) for bar in bars), *((bar.end, -1) for bar in bars)])
    running = most = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most


def _busy_share(bars: Sequence[Bar]) -> float:
    threads = len({bar.node.thread for bar in bars}) or 1
    span = max(bar.end for bar in bars) - min(bar.start for bar in bars)
    return min(1.0, sum(bar.seconds for bar in bars) / (span * threads)) if span else 1.0
