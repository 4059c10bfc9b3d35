"""The collector's units of work on runs and invocations. One lock, because its two loops write the same rows."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlmodel import Session, col, func, select

from contracts.names import DBT_TASK_ID, invocation_task_id
from models.run import Invocation, NodeResult, Run
from models.run_state import NodeStatus, RunState
from models.types import now
from services.database import session

_writing = threading.Lock()

_OK = (NodeStatus.SUCCESS, NodeStatus.PASS, NodeStatus.NO_OP, NodeStatus.REUSED)
_HOOK = "operation"


@contextmanager
def writing() -> Iterator[Session]:
    """One unit of work that no other loop of this process interleaves with."""
    with _writing, session() as opened:
        yield opened


def open_runs() -> list[Run]:
    """Runs that the collector is not done with, oldest first."""
    with session() as opened:
        return list(opened.exec(select(Run).where(col(Run.collected).is_(False)).order_by(col(Run.id))))


def task_id_of(run: Run, try_number: int) -> str:
    """The id that the operator submits this try under."""
    return invocation_task_id(run.dag_id, run.dag_run_id, DBT_TASK_ID, try_number)


def invocations(opened: Session, run_id: int | None) -> list[Invocation]:
    """The run's invocations by try."""
    rows = select(Invocation).where(Invocation.run_id == run_id).order_by(col(Invocation.try_number))
    return list(opened.exec(rows))


def invocation_of_try(opened: Session, run: Run, try_number: int) -> Invocation:
    """The row of a try, made if it is new."""
    for invocation in invocations(opened, run.id):
        if invocation.try_number == try_number:
            return invocation
    made = Invocation(run_id=run.id or 0, try_number=try_number, task_id=task_id_of(run, try_number))
    opened.add(made)
    opened.flush()
    return made


def nodes_by_id(opened: Session, invocation_id: int | None, unique_ids: Iterable[str]) -> dict[str, NodeResult]:
    """The known results of these nodes."""
    rows = select(NodeResult).where(
        NodeResult.invocation_id == invocation_id, col(NodeResult.unique_id).in_(list(unique_ids))
    )
    return {node.unique_id: node for node in opened.exec(rows)}


def all_nodes(opened: Session, invocation_id: int | None) -> dict[str, NodeResult]:
    """All node results of an invocation, in the order in which the nodes were first heard of."""
    rows = select(NodeResult).where(NodeResult.invocation_id == invocation_id).order_by(col(NodeResult.id))
    return {node.unique_id: node for node in opened.exec(rows)}


def was_seen(invocation: Invocation) -> bool:
    """Whether the dbt API, or a cluster, ever knew it. A try that follows its predecessor's dbt starts none."""
    return invocation.state is not RunState.STARTING or invocation.queue_position is not None


def join_tries(before: Invocation, after: Invocation) -> None:
    """Note that a later try belongs to this invocation."""
    before.followed_by_try = after.try_number


def last_joined_try(invocation: Invocation) -> int:
    """The last try of Airflow's that belongs to this invocation: its own, or one that followed its dbt."""
    return invocation.followed_by_try or invocation.try_number


def newest(opened: Session, run_id: int | None) -> Invocation | None:
    """The invocation that tells how the run stands: the last one that the dbt API knew, else the last try."""
    tries = invocations(opened, run_id)
    return next((one for one in reversed(tries) if was_seen(one)), tries[-1] if tries else None)


def count_nodes(opened: Session, run: Run, invocation: Invocation) -> None:
    """Bring the run's counts up to date, if this is its newest invocation. Hooks are no nodes of the run."""
    if newest(opened, run.id) is not invocation:
        return
    opened.flush()
    rows = (
        select(NodeResult.status, func.count())
        .where(NodeResult.invocation_id == invocation.id, NodeResult.resource_type != _HOOK)
        .group_by(col(NodeResult.status))
    )
    counts = {NodeStatus(status): count for status, count in opened.exec(rows)}
    run.nodes_ok = sum(counts.get(status, 0) for status in _OK)
    run.nodes_warn = counts.get(NodeStatus.WARN, 0)
    run.nodes_error = sum(count for status, count in counts.items() if status.is_bad)
    run.nodes_skipped = counts.get(NodeStatus.SKIPPED, 0)


def finish_if_whole(opened: Session, run: Run) -> None:
    """Mark a run as collected once it is over and every log of it is complete.

    Only for who has just asked Airflow for all its tries: there may be more than the invocations known so far.
    """
    run.collected_at = now()
    if run.state.is_terminal:
        run.collected = all(one.log_complete and one.task_log_complete for one in invocations(opened, run.id))


def forget_all_but(runs: Iterable[Run], *memories: dict[int, float]) -> None:
    """Drop from a loop's memories what is about runs that are not open any more."""
    open_ids = {run.id for run in runs}
    for memory in memories:
        for run_id in [one for one in memory if one not in open_ids]:
            del memory[run_id]
