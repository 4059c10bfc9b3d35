"""The node results of one invocation as pages ask for them: a page of them, the failed ones, one, or all in outline."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import case
from sqlalchemy.orm import load_only
from sqlmodel import col, func, or_, select

from models.run import NodeResult
from models.run_state import NodeStatus
from services.database import session

_BAD = [status for status in NodeStatus if status.is_bad]
TESTS = ("test", "unit_test")


class Order(StrEnum):
    """How a list of nodes is ordered."""

    NEWEST = "Newest first"
    SLOWEST = "Slowest first"
    FAILED = "Failed first"
    NAME = "By name"


@dataclass(frozen=True)
class NodeFilter:
    """Which nodes; an empty part means any."""

    statuses: Sequence[NodeStatus] = ()
    kinds: Sequence[str] = ()
    text: str = ""
    """A part of the name, the file or the message."""

    def conditions(self, invocation_id: int) -> list[Any]:
        """The filter in SQL."""
        chosen: list[Any] = [NodeResult.invocation_id == invocation_id]
        chosen += [col(NodeResult.status).in_(self.statuses)] if self.statuses else []
        chosen += [col(NodeResult.resource_type).in_(self.kinds)] if self.kinds else []
        texts = (NodeResult.name, NodeResult.path, NodeResult.message)
        chosen += [or_(*(col(text).icontains(word, autoescape=True) for text in texts)) for word in self.text.split()]
        return chosen


@dataclass(frozen=True)
class NodePage:
    """A page of nodes, without their SQL, and how many there are in all."""

    nodes: list[NodeResult] = field(default_factory=list)
    total: int = 0


_TROUBLE = (
    NodeStatus.ERROR,
    NodeStatus.RUNTIME_ERROR,
    NodeStatus.PARTIAL,
    NodeStatus.FAIL,
    NodeStatus.INTERRUPTED,
    NodeStatus.SKIPPED,
    NodeStatus.WARN,
    NodeStatus.STARTED,
)
_ORDERED: dict[Order, tuple[Any, ...]] = {
    Order.NEWEST: (col(NodeResult.finished_at).desc().nulls_first(), col(NodeResult.id).desc()),
    Order.SLOWEST: (
        case((col(NodeResult.status) == NodeStatus.STARTED, 0), else_=1),
        func.coalesce(NodeResult.seconds, 0).desc(),
        col(NodeResult.id),
    ),
    Order.FAILED: (
        case({status.value: place for place, status in enumerate(_TROUBLE)}, value=NodeResult.status, else_=99),
        col(NodeResult.finished_at).desc(),
    ),
    Order.NAME: (col(NodeResult.name), col(NodeResult.id)),
}
_OUTLINE = tuple(
    getattr(NodeResult, name)
    for name in NodeResult.__table__.columns.keys()  # type: ignore[attr-defined]  # noqa: SIM118
    if name not in ("message", "compiled_sql")
)


def page_of_nodes(
    invocation_id: int, chosen: NodeFilter | None = None, *, order: Order = Order.NEWEST, page: int = 1, size: int = 100
) -> NodePage:
    """One page of the nodes that fit; pages count from 1. Nodes that run come first where slowness is asked for."""
    conditions = (chosen or NodeFilter()).conditions(invocation_id)
    rows = select(NodeResult).where(*conditions).order_by(*_ORDERED[order]).offset((page - 1) * size).limit(size)
    with session() as opened:
        total = opened.exec(select(func.count()).select_from(NodeResult).where(*conditions)).one()
        return NodePage(list(opened.exec(rows.options(load_only(*_OUTLINE, NodeResult.message)))), total)  # type: ignore[arg-type]


def failed_nodes(invocation_id: int, *, most: int) -> NodePage:
    """The nodes that failed, errors before failed tests, with everything that is known of them."""
    conditions = NodeFilter(statuses=_BAD).conditions(invocation_id)
    is_test = case((col(NodeResult.status) == NodeStatus.FAIL, 1), else_=0)
    with session() as opened:
        total = opened.exec(select(func.count()).select_from(NodeResult).where(*conditions)).one()
        rows = select(NodeResult).where(*conditions).order_by(is_test, col(NodeResult.id)).limit(most)
        return NodePage(list(opened.exec(rows)), total)


def node_of(invocation_id: int, unique_id: str) -> NodeResult | None:
    """One node of the invocation."""
    with session() as opened:
        same = (NodeResult.invocation_id == invocation_id, NodeResult.unique_id == unique_id)
        return opened.exec(select(NodeResult).where(*same)).one_or_none()


def outline(invocation_id: int) -> list[NodeResult]:
    """All nodes in the order in which they were first heard of, without their messages and their SQL."""
    rows = select(NodeResult).where(NodeResult.invocation_id == invocation_id).order_by(col(NodeResult.id))
    with session() as opened:
        return list(opened.exec(rows.options(load_only(*_OUTLINE, raiseload=True))))


def counts(invocation_id: int) -> dict[tuple[str, NodeStatus], int]:
    """How many nodes there are of each kind and status."""
    rows = (
        select(NodeResult.resource_type, NodeResult.status, func.count())
        .where(NodeResult.invocation_id == invocation_id)
        .group_by(col(NodeResult.resource_type), col(NodeResult.status))
    )
    with session() as opened:
        return {(kind, NodeStatus(status)): number for kind, status, number in opened.exec(rows)}
