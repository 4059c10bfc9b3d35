"""The part of a project's graph around one node, from the nodes as last parsed. Tests are left out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.project import ProjectNode

_DRAWN = ("model", "seed", "snapshot", "source", "exposure", "analysis")


@dataclass(frozen=True)
class Lineage:
    """Nodes, and edges as (unique_id of the parent, unique_id of the child)."""

    nodes: list[ProjectNode]
    edges: list[tuple[str, str]]


def around(nodes: Sequence[ProjectNode], unique_id: str, *, upstream: int, downstream: int) -> Lineage:
    """What the node reads and who reads it, so many steps up and down."""
    drawn = {node.unique_id: node for node in nodes if node.resource_type in _DRAWN or node.unique_id == unique_id}
    parents = {key: [each for each in node.depends_on if each in drawn] for key, node in drawn.items()}
    children: defaultdict[str, list[str]] = defaultdict(list)
    for child, above in parents.items():
        for parent in above:
            children[parent].append(child)
    near = _reached(unique_id, parents, upstream) | _reached(unique_id, children, downstream)
    edges = [(parent, child) for child in sorted(near) for parent in sorted(set(parents[child])) if parent in near]
    return Lineage([drawn[key] for key in sorted(near)], edges)


def _reached(start: str, following: Mapping[str, list[str]], depth: int) -> set[str]:
    seen = ring = {start}
    for _ in range(depth):
        ring = {each for key in ring for each in following.get(key, [])} - seen
        seen = seen | ring
    return seen
