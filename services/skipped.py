"""Which nodes of a run were skipped, each under the failed node that is the reason."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.run import Run
from models.run_state import NodeStatus
from services import run_nodes
from services.results import name_causes
from services.run_graph import graph_of


@dataclass(frozen=True)
class Skipped:
    """Skipped nodes by the unique_id of their cause, the cause with the most first; None where it is not known."""

    by_cause: Mapping[str | None, list[str]]
    names: Mapping[str, str]
    """Names of all nodes of the run."""

    @property
    def total(self) -> int:
        """How many were skipped."""
        return sum(map(len, self.by_cause.values()))


def skipped_nodes(run: Run, invocation_id: int) -> Skipped:
    """The skipped nodes. While the run lives its results name no causes yet: they are found here, and not stored."""
    nodes = {node.unique_id: node for node in run_nodes.outline(invocation_id)}
    skipped = [node for node in nodes.values() if node.status is NodeStatus.SKIPPED]
    if any(node.skipped_because is None for node in skipped):
        name_causes(nodes, graph_of(run, invocation_id))
    causes: dict[str | None, list[str]] = {}
    for node in skipped:
        causes.setdefault(node.skipped_because, []).append(node.name)
    ordered = dict(sorted(causes.items(), key=lambda item: -len(item[1])))
    return Skipped(ordered, {key: node.name for key, node in nodes.items()})
