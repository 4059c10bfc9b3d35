"""What became of a run's nodes in the runs before it: the same project and target, whatever the selection."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, func, or_, select

from contracts.run_conf import DbtCommand
from models.run import Invocation, NodeResult, Run
from models.run_state import NodeStatus
from services.database import session

LOOKED_AT = 40
"""So many runs before this one are looked at."""
_NO_VERDICT = (NodeStatus.SKIPPED, NodeStatus.INTERRUPTED, NodeStatus.STARTED)
_ONLY_COMPILE = (DbtCommand.COMPILE, DbtCommand.DOCS_GENERATE)


@dataclass(frozen=True)
class Past:
    """One result of a node."""

    run_id: int
    at: datetime
    status: NodeStatus
    seconds: float | None
    rows: int | None
    failures: int | None


def pasts(run: Run, unique_ids: Iterable[str], *, of_last: int = 10) -> dict[str, list[Past]]:
    """The last results of these nodes up to this run's, oldest first; of tries, the last."""
    wanted = list(unique_ids)
    if not wanted or run.id is None:
        return {}
    only_compiled = or_(*(col(Run.command).startswith(str(command)) for command in _ONLY_COMPILE))
    recent = (
        select(Run.id)
        .where(Run.project == run.project, Run.target == run.target, col(Run.id) <= run.id, ~only_compiled)
        .order_by(col(Run.id).desc())
        .limit(LOOKED_AT)
    )
    tries = select(func.max(Invocation.id)).where(col(Invocation.run_id).in_(recent)).group_by(col(Invocation.run_id))
    columns = (NodeResult.unique_id, Run.id, Run.created_at, NodeResult.status, NodeResult.seconds, NodeResult.rows)
    rows = (
        select(*columns, NodeResult.failures)  # type: ignore[call-overload]
        .join(Invocation, col(Invocation.id) == col(NodeResult.invocation_id))
        .join(Run, col(Run.id) == col(Invocation.run_id))
        .where(col(NodeResult.invocation_id).in_(tries), col(NodeResult.unique_id).in_(wanted))
        .order_by(col(Run.id))
    )
    found: dict[str, list[Past]] = {}
    with session() as opened:
        for unique_id, *values in opened.exec(rows):
            found.setdefault(unique_id, []).append(Past(*values))
    return {unique_id: past[-of_last:] for unique_id, past in found.items()}


def failing_since(past: Sequence[Past]) -> Past | None:
    """Where the present row of failures began, from a node's results, oldest first; None when it does not fail now."""
    first = None
    for each in reversed([one for one in past if one.status not in _NO_VERDICT]):
        if not each.status.is_bad:
            break
        first = each
    return first
