"""Invocations as rows: each change of state is one conditional UPDATE, so two who race cannot both win."""

import hashlib
from typing import Any

from sqlalchemy import func, update
from sqlmodel import col, select

from contracts.dbt_api import Invocation, InvocationState, LogSize, SubmitInvocation
from dbt_api.database import session
from dbt_api.running.outcome import Verdict
from dbt_api.tables import InvocationRow, StopReason, now

PENDING, STARTED = InvocationState.PENDING, InvocationState.STARTED
TERMINAL = [state for state in InvocationState if state.is_terminal]


def body_hash(submitted: SubmitInvocation) -> str:
    """Identity of a request apart from its task_id: the same id with another body is a mistake of the client."""
    return hashlib.sha256(submitted.model_dump_json(exclude={"task_id"}).encode()).hexdigest()


def find(task_id: str) -> InvocationRow | None:
    """The row of a task_id."""
    with session() as opened:
        return opened.exec(select(InvocationRow).where(InvocationRow.task_id == task_id)).first()


def insert(row: InvocationRow) -> None:
    """Add a row; raises sqlalchemy's IntegrityError when the task_id exists."""
    with session() as opened:
        opened.add(row)


def remove_pending(task_id: str) -> None:
    """Forget an invocation that could not be queued."""
    with session() as opened:
        row = opened.exec(select(InvocationRow).where(InvocationRow.task_id == task_id)).first()
        if row is not None and row.state is PENDING:
            opened.delete(row)


def page(
    *, limit: int, before: int | None = None, state: InvocationState | None = None, project: str | None = None
) -> list[InvocationRow]:
    """Rows newest first, older than the id `before`."""
    query = select(InvocationRow).order_by(col(InvocationRow.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(InvocationRow.id) < before)
    if state is not None:
        query = query.where(InvocationRow.state == state)
    if project is not None:
        query = query.where(InvocationRow.project == project)
    with session() as opened:
        return list(opened.exec(query))


def in_state(state: InvocationState, *, concurrency_key: str | None = None) -> list[InvocationRow]:
    """All rows of a state, oldest first; of one concurrency key if given."""
    query = select(InvocationRow).where(InvocationRow.state == state).order_by(col(InvocationRow.id))
    if concurrency_key is not None:
        query = query.where(InvocationRow.concurrency_key == concurrency_key)
    with session() as opened:
        return list(opened.exec(query))


def count(state: InvocationState, *, project: str | None = None) -> int:
    """How many rows are in a state."""
    query = select(func.count()).select_from(InvocationRow).where(InvocationRow.state == state)
    if project is not None:
        query = query.where(InvocationRow.project == project)
    with session() as opened:
        return opened.exec(query).one()


def queue_position(row: InvocationRow) -> int | None:
    """1 for the invocation that is next among those that wait; None for one that does not wait."""
    if row.state is not PENDING:
        return None
    earlier = (col(InvocationRow.priority) < row.priority) | (
        (col(InvocationRow.priority) == row.priority) & (col(InvocationRow.id) < row.id)
    )
    query = select(func.count()).select_from(InvocationRow).where(InvocationRow.state == PENDING, earlier)
    with session() as opened:
        return opened.exec(query).one() + 1


def begin(row: InvocationRow, **values: Any) -> InvocationRow | None:
    """PENDING → STARTED, or a next attempt of a STARTED one; None when it was aborted or ended in between."""
    moment = row.started_at or now()
    done = _change(
        row.task_id,
        col(InvocationRow.state) == row.state,
        col(InvocationRow.stop_reason).is_(None),
        state=STARTED,
        attempt=row.attempt + 1,
        started_at=moment,
        **values,
    )
    return find(row.task_id) if done else None


def note(task_id: str, **facts: Any) -> None:
    """Write down what became known of an invocation on its way."""
    _change(task_id, **facts)


def ask_to_stop(task_id: str, reason: StopReason, because: str | None = None) -> None:
    """Put on record why a STARTED invocation is being stopped, before any signal. The first reason stays."""
    _change(
        task_id,
        col(InvocationRow.state) == STARTED,
        col(InvocationRow.stop_reason).is_(None),
        stop_reason=reason,
        stop_message=because,
    )


def abort_pending(task_id: str, verdict: Verdict) -> bool:
    """PENDING → ABORTED; False when it is no longer PENDING."""
    return _change(task_id, col(InvocationRow.state) == PENDING, **_ended(verdict))


def finish(task_id: str, verdict: Verdict, **facts: Any) -> None:
    """Into a terminal state, once: a row that has one keeps it."""
    _change(task_id, col(InvocationRow.state).not_in(TERMINAL), **_ended(verdict), **facts)


def _ended(verdict: Verdict) -> dict[str, Any]:
    return {
        "state": verdict.state,
        "outcome": verdict.outcome,
        "exc_type": verdict.exc_type,
        "exc_message": verdict.exc_message,
        "finished_at": now(),
    }


def _change(task_id: str, *conditions: Any, **values: Any) -> bool:
    statement = update(InvocationRow).where(col(InvocationRow.task_id) == task_id, *conditions).values(**values)
    with session() as opened:
        return bool(opened.exec(statement).rowcount)


def shown(row: InvocationRow, *, log: LogSize | None = None, position: int | None = None) -> Invocation:
    """The row as `/api/v1` shows it."""
    fields = row.model_dump(include=set(Invocation.model_fields))
    return Invocation(**fields, log=log or LogSize(), queue_position=position)
