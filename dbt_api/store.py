"""Invocations as rows: each change of state is one conditional UPDATE, so two who race cannot both win."""

import hashlib
from statistics import median
from typing import Any

from sqlalchemy import and_, bindparam, func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from contracts.dbt_api import InvocationState, SubmitInvocation
from dbt_api import bell, life
from dbt_api.callbacks import outbox
from dbt_api.database import session
from dbt_api.running.outcome import Verdict
from dbt_api.tables import InvocationRow, StopReason, now

PENDING, STARTED = InvocationState.PENDING, InvocationState.STARTED
USUAL_OF = 20
TERMINAL = [state for state in InvocationState if state.is_terminal]
BY_TASK_ID = select(InvocationRow).where(InvocationRow.task_id == bindparam("task_id"))
"""Made once: it is asked some fifteen times per invocation, and making it costs as much as asking."""


def body_hash(submitted: SubmitInvocation) -> str:
    """Identity of a request apart from its task_id: the same id with another body is a mistake of the client."""
    identity = submitted.model_dump_json(exclude={"task_id"}, exclude_defaults=True)  # a new field changes no old hash
    return hashlib.sha256(identity.encode()).hexdigest()


def find(task_id: str) -> InvocationRow | None:
    """The row of a task_id."""
    with session() as opened:
        return opened.exec(BY_TASK_ID, params={"task_id": task_id}).first()


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


def in_state(state: InvocationState, *, concurrency_key: str | None = None) -> list[InvocationRow]:
    """All rows of a state, oldest first; of one concurrency key if given."""
    query = select(InvocationRow).where(InvocationRow.state == state).order_by(col(InvocationRow.id))
    if concurrency_key is not None:
        query = query.where(InvocationRow.concurrency_key == concurrency_key)
    with session() as opened:
        return list(opened.exec(query))


def newest_ended(concurrency_key: str, *, limit: int) -> list[InvocationRow]:
    """The last ended rows of a project and target, newest first."""
    row = InvocationRow
    query = select(row).where(row.concurrency_key == concurrency_key, col(row.state).in_(TERMINAL))
    with session() as opened:
        return list(opened.exec(query.order_by(col(row.id).desc()).limit(limit)))


def count(state: InvocationState, *, project: str | None = None) -> int:
    """How many rows are in a state."""
    query = select(func.count()).select_from(InvocationRow).where(InvocationRow.state == state)
    if project is not None:
        query = query.where(InvocationRow.project == project)
    with session() as opened:
        return opened.exec(query).one()


def retries_of(task_ids: list[str]) -> dict[str, str]:
    """For each of these invocations that was retried, its newest retry."""
    query = select(InvocationRow.retry_of, InvocationRow.task_id).order_by(col(InvocationRow.id))
    with session() as opened:
        found = opened.exec(query.where(col(InvocationRow.retry_of).in_(task_ids)))
        return {str(retried): task_id for retried, task_id in found}


def usual_ms(command_hash: str) -> int | None:
    """Milliseconds that this command of a project takes: the median of its last successes."""
    row = InvocationRow
    query = select(row.started_at, row.finished_at).order_by(col(row.id).desc()).limit(USUAL_OF)
    with session() as opened:
        found = opened.exec(query.where(row.command_hash == command_hash, row.state == InvocationState.SUCCESS))
        spans = [(end - start).total_seconds() * 1000 for start, end in found if start and end]
    return round(median(spans)) if spans else None


def begin(row: InvocationRow, **values: Any) -> InvocationRow | None:
    """PENDING → STARTED, or a next attempt of a STARTED one.

    None when it was aborted or ended in between, or when another one of its target was STARTED meanwhile.
    """
    moment = row.started_at or now()
    try:
        done = _change(
            row.task_id,
            col(InvocationRow.state) == row.state,
            col(InvocationRow.attempt) == row.attempt,
            col(InvocationRow.stop_reason).is_(None),
            state=STARTED,
            attempt=row.attempt + 1,
            started_at=moment,
            **values,
        )
    except IntegrityError:  # the index `one_writer`
        return None
    started = find(row.task_id) if done else None
    if started is not None:
        life.started(started)
    return started


def note(task_id: str, **facts: Any) -> None:
    """Write down what became known of an invocation on its way."""
    _change(task_id, **facts)


def ask_to_stop(task_id: str, reason: StopReason, because: str | None = None, **values: Any) -> None:
    """Put on record why a STARTED invocation is being stopped, before any signal. The first reason stays."""
    _change(
        task_id,
        col(InvocationRow.state) == STARTED,
        col(InvocationRow.stop_reason).is_(None),
        stop_reason=reason,
        stop_message=because,
        **values,
    )


def shorten_grace(task_id: str, seconds: float) -> None:
    """Give an abort that is under way less time than it has."""
    grace = col(InvocationRow.stop_grace_seconds)
    _change(
        task_id,
        col(InvocationRow.state) == STARTED,
        col(InvocationRow.stop_reason) == StopReason.ABORT,
        grace.is_(None) | (grace > seconds),
        stop_grace_seconds=seconds,
    )


def requeue(row: InvocationRow) -> bool:
    """STARTED → PENDING for a next attempt at an invocation whose worker was lost; False when it may have none."""
    return _change(
        row.task_id,
        col(InvocationRow.state) == STARTED,
        col(InvocationRow.attempt) == row.attempt,
        col(InvocationRow.attempt) < col(InvocationRow.max_attempts),
        col(InvocationRow.stop_reason).is_(None) | (col(InvocationRow.stop_reason) == StopReason.SHUTDOWN),
        state=PENDING,
        started_at=None,
        stop_reason=None,
        stop_message=None,
    )


def abort_pending(task_id: str, verdict: Verdict, **values: Any) -> bool:
    """PENDING → ABORTED; False when it is no longer PENDING."""
    done = _change(task_id, col(InvocationRow.state) == PENDING, **_ended(verdict), **values)
    if done and (row := find(task_id)) is not None:
        life.ended(row)
    return done


def finish(task_id: str, verdict: Verdict, *, attempt: int | None = None, **facts: Any) -> None:
    """Into a terminal state, once: a row that has one keeps it.

    The end of an attempt changes nothing once that is no longer under way: another has requeued or followed it.
    """
    under_way: Any = col(InvocationRow.state).not_in(TERMINAL)
    if attempt is not None:
        under_way = and_(col(InvocationRow.state) == STARTED, col(InvocationRow.attempt) == attempt)
    done = _change(task_id, under_way, **_ended(verdict), **facts)
    if done and (row := find(task_id)) is not None:
        life.ended(row)


def _ended(verdict: Verdict) -> dict[str, Any]:
    return {
        "state": verdict.state,
        "outcome": verdict.outcome,
        "exc_type": verdict.exc_type,
        "exc_message": verdict.exc_message and verdict.exc_message.replace("\0", ""),  # Postgres has no place for it
        "finished_at": now(),
        "sealed": None,
    }


def _change(task_id: str, *conditions: Any, **values: Any) -> bool:
    statement = update(InvocationRow).where(col(InvocationRow.task_id) == task_id, *conditions).values(**values)
    with session() as opened:
        done = bool(opened.exec(statement).rowcount)
        if done and "state" in values:
            outbox.add(opened, task_id, values["state"])
    if done:
        bell.ring(task_id)
    return done
