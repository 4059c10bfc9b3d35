"""Which nodes of a run were skipped, each under the failed node that is the reason."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import col, select

from models.run import NodeResult, Run
from models.run_state import NodeStatus
from services.database import session
from services.results import name_causes
from services.run import run_nodes
from services.run.run_graph import graph_of


@dataclass(frozen=True)
class Skipped:
    """Names of skipped nodes by the unique_id of their cause, the cause with the most first; None: it is not known."""

    by_cause: Mapping[str | None, list[str]]
    names: Mapping[str, str]
    """Names of the causes."""

    @property
    def total(self) -> int:
        """How many were skipped."""
        return sum(map(len, self.by_cause.values()))


def skipped_nodes(run: Run, invocation_id: int) -> Skipped:
    """The skipped nodes. While the run lives its results name no causes yet: they are found here, and not stored."""
    with session() as opened:
        rows = select(NodeResult.name, NodeResult.skipped_because).where(
            NodeResult.invocation_id == invocation_id, NodeResult.status == NodeStatus.SKIPPED
        )
        skipped = [(name, cause) for name, cause in opened.exec(rows.order_by(col(NodeResult.id)))]
    if any(cause is None for _, cause in skipped):
        skipped = _with_causes(run, invocation_id)
    causes: dict[str | None, list[str]] = {}
    for name, cause in skipped:
        causes.setdefault(cause, []).append(name)
    ordered = dict(sorted(causes.items(), key=lambda item: -len(item[1])))
    return Skipped(ordered, _names(invocation_id, [cause for cause in ordered if cause]))


def _with_causes(run: Run, invocation_id: int) -> list[tuple[str, str | None]]:
    nodes = {node.unique_id: node for node in run_nodes.outline(invocation_id)}
    name_causes(nodes, graph_of(run, invocation_id))
    return [(node.name, node.skipped_because) for node in nodes.values() if node.status is NodeStatus.SKIPPED]


def _names(invocation_id: int, unique_ids: list[str]) -> dict[str, str]:
    with session() as opened:
        rows = select(NodeResult.unique_id, NodeResult.name).where(
            NodeResult.invocation_id == invocation_id, col(NodeResult.unique_id).in_(unique_ids[:500])
        )
        return dict(opened.exec(rows).all())
