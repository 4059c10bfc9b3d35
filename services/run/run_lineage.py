"""The graph of a run's nodes, tests folded into what they test; a part of it where the whole is too much to read."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.run import NodeResult
from models.run_state import NodeStatus
from services.run.run_nodes import TESTS

MOST = 120
NEAR = 50
"""So many of a larger run are shown: what is near is read, what is far is not."""
_INTERESTING = (NodeStatus.INTERRUPTED, NodeStatus.STARTED)


_RUNNABLE = ("model", "seed", "snapshot")


@dataclass(frozen=True)
class RunNode:
    """A node, and how many of its tests were good and bad. `result` is None while its turn has not come."""

    unique_id: str
    result: NodeResult | None
    tests_good: int = 0
    tests_bad: int = 0


@dataclass(frozen=True)
class RunLineage:
    """Nodes, edges as (parent, child), and how many nodes of the run are not shown."""

    nodes: list[RunNode]
    edges: list[tuple[str, str]]
    left_out: int


def lineage_of(
    results: Sequence[NodeResult],
    graph: Mapping[str, Sequence[str]],
    *,
    around: str | None = None,
    with_waiting: bool = False,
) -> RunLineage:
    """The whole of a small run; of a large one what is near a node, or near those that failed or run.

    `with_waiting`: all runnable nodes of the graph belong to the run, those without a result too.
    """
    tests = _tests(results, graph)
    nodes: dict[str, NodeResult | None] = {
        node.unique_id: node for node in results if node.resource_type not in (*TESTS, "operation")
    }
    if with_waiting:
        waiting: dict[str, NodeResult | None] = {name: None for name in graph if name.partition(".")[0] in _RUNNABLE}
        nodes = waiting | nodes
    parents = {name: [each for each in graph.get(name, ()) if each in nodes] for name in nodes}
    shown = set(nodes)
    if around in nodes or len(nodes) > MOST:
        starts = [around] if around in nodes and around else _starts(nodes)
        shown = _near(starts, parents)
    edges = [(parent, name) for name in nodes if name in shown for parent in parents[name] if parent in shown]
    drawn = [RunNode(name, node, *tests.get(name, (0, 0))) for name, node in nodes.items() if name in shown]
    return RunLineage(drawn, edges, len(nodes) - len(shown))


def _tests(results: Sequence[NodeResult], graph: Mapping[str, Sequence[str]]) -> dict[str, tuple[int, int]]:
    found: defaultdict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for test in results:
        if test.resource_type not in TESTS or test.status in (NodeStatus.STARTED, NodeStatus.SKIPPED):
            continue
        for tested in graph.get(test.unique_id, ()):
            good, bad = found[tested]
            found[tested] = (good, bad + 1) if test.status.is_bad else (good + 1, bad)
    return found


def _starts(nodes: Mapping[str, NodeResult | None]) -> list[str]:
    """What a reader of a large run looks for; the slowest node where all is well."""
    ran = {name: node for name, node in nodes.items() if node}
    found = [name for name, node in ran.items() if node.status.is_bad or node.status in _INTERESTING]
    return found or [max(ran, key=lambda name: ran[name].seconds or 0, default=next(iter(nodes)))]


def _near(starts: Sequence[str], parents: Mapping[str, Sequence[str]]) -> set[str]:
    """Step by step what is above and below, until there is enough."""
    children: defaultdict[str, list[str]] = defaultdict(list)
    for name, above in parents.items():
        for parent in above:
            children[parent].append(name)
    seen = set(starts[:NEAR])
    ring = list(starts[:NEAR])
    while ring and len(seen) < NEAR:
        beside = [each for name in ring for each in [*parents.get(name, ()), *children[name]] if each not in seen]
        ring = list(dict.fromkeys(beside))[: NEAR - len(seen)]
        seen |= set(ring)
    return seen
