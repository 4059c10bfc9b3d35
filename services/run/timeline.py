"""A run's nodes over time: by thread, how many at once, and the chain of nodes that decided how long it took. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.run import NodeResult
from models.run_state import NodeStatus
from models.types import now
from services.run.run_nodes import TESTS


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
    threads: int
    """How many threads dbt had."""
    busy_share: float
    """Share of the threads' time in which a node ran; the rest they waited for others."""
    critical_seconds: float
    """Time of the critical path's nodes: with any number of threads, the run takes at least as long."""

    @property
    def critical(self) -> list[Bar]:
        """The critical path from its first node to its last."""
        return sorted((bar for bar in self.bars if bar.is_critical), key=lambda bar: bar.start)


def timeline(
    nodes: Sequence[NodeResult],
    depends_on: Mapping[str, Sequence[str]],
    *,
    until: datetime | None = None,
    threads: int | None = None,
) -> Timeline | None:
    """The nodes that began, by time; None when none did. What has not ended lasts until `until`, or until now.

    `threads` is how many dbt was told to use; without it, those that were seen at work.
    """
    bars = _bars(nodes, until or now())
    if not bars:
        return None
    path = _critical_path(bars, depends_on)
    marked = [Bar(bar.node, bar.start, max(bar.start, bar.end), bar.node.unique_id in path) for bar in bars]
    return Timeline(
        sorted(marked, key=lambda bar: bar.start),
        max((number for _, number in concurrency(marked)), default=0),
        threads or _seen_threads(marked),
        _busy_share(marked, threads or _seen_threads(marked)),
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
    """From the node that ended last, back over whichever of those that it had to wait for ended last."""
    by_id = {bar.node.unique_id: bar for bar in bars}
    tests = _tests_by_tested(bars, depends_on)
    bar: Bar | None = max(bars, key=lambda bar: bar.end)
    path: set[str] = set()
    while bar is not None and bar.node.unique_id not in path:
        path.add(bar.node.unique_id)
        parents = [by_id[name] for name in depends_on.get(bar.node.unique_id, ()) if name in by_id]
        waited_for = [*parents, *_tests_between(bar, parents, tests)]
        bar = max(waited_for, key=lambda bar: bar.end, default=None)
    return path


def _tests_by_tested(bars: Sequence[Bar], depends_on: Mapping[str, Sequence[str]]) -> dict[str, list[Bar]]:
    tests: dict[str, list[Bar]] = {}
    for bar in bars:
        if bar.node.resource_type in TESTS:
            for tested in depends_on.get(bar.node.unique_id, ()):
                tests.setdefault(tested, []).append(bar)
    return tests


def _tests_between(bar: Bar, parents: Iterable[Bar], tests: Mapping[str, Sequence[Bar]]) -> list[Bar]:
    """The tests of its parents that `dbt build` ran before it: no graph names them, that they had ended tells."""
    if bar.node.resource_type in TESTS:
        return []
    found = [test for parent in parents for test in tests.get(parent.node.unique_id, ())]
    return [test for test in found if test.end <= bar.start]


def concurrency(bars: Iterable[Bar]) -> list[tuple[float, int]]:
    """How many nodes ran from each second on; one that ends as another begins does not overlap with it."""
    changes = sorted([*((bar.start, 1) for bar in bars), *((bar.end, -1) for bar in bars)])
    running, steps = 0, []
    for second, change in changes:
        running += change
        steps.append((second, running))
    return steps


def idle_shares(found: Timeline) -> dict[str, float]:
    """For each thread that was seen, the share of the nodes' time in which it ran none."""
    span = max(bar.end for bar in found.bars) - min(bar.start for bar in found.bars)
    busy: dict[str, float] = {}
    for bar in found.bars:
        busy[bar.node.thread or ""] = busy.get(bar.node.thread or "", 0) + bar.seconds
    return {thread: max(0.0, 1 - seconds / span) if span else 0.0 for thread, seconds in busy.items()}


def _seen_threads(bars: Iterable[Bar]) -> int:
    return len({bar.node.thread for bar in bars}) or 1


def _busy_share(bars: Sequence[Bar], threads: int) -> float:
    span = max(bar.end for bar in bars) - min(bar.start for bar in bars)
    return min(1.0, sum(bar.seconds for bar in bars) / (span * threads)) if span else 1.0
