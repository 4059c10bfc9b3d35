"""What is still to be told to clients, as rows: written with the change of state, deleted once told or given up.

A row that a server takes is put off first, so that no second server tells the same and a killed one's is told later.
"""

from datetime import timedelta

from sqlmodel import Session, col, delete, select, update

from contracts.dbt_api import InvocationState
from dbt_api.database import session
from dbt_api.tables import CallbackRow, InvocationRow, now

FIRST_RETRY_SECONDS = 2
LONGEST_RETRY_SECONDS = 600
ATTEMPTS = 20
"""Each wait is twice the one before, up to ten minutes: about two hours in all."""
TAKEN_AT_ONCE = 20


def add(opened: Session, task_id: str, state: InvocationState) -> None:
    """Note in this transaction that the invocation's client wants to hear of this state, if it does."""
    if state is InvocationState.PENDING:
        return
    url = opened.exec(select(InvocationRow.callback_url).where(InvocationRow.task_id == task_id)).first()
    if url is not None:
        opened.add(CallbackRow(task_id=task_id, state=state, url=url))


def take_due() -> list[CallbackRow]:
    """What is due now, in the order in which it happened. Each is put off until its next attempt."""
    with session() as opened:
        due = select(CallbackRow).where(col(CallbackRow.due_at) <= now()).order_by(col(CallbackRow.id))
        return [row for row in opened.exec(due.limit(TAKEN_AT_ONCE)) if _put_off(opened, row)]


def _put_off(opened: Session, row: CallbackRow) -> bool:
    wait = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2**row.attempt)
    mine = update(CallbackRow).where(col(CallbackRow.id) == row.id, col(CallbackRow.attempt) == row.attempt)
    put_off = mine.values(attempt=row.attempt + 1, due_at=now() + timedelta(seconds=wait))
    return bool(opened.exec(put_off.execution_options(synchronize_session=False)).rowcount)


def settle(row: CallbackRow) -> None:
    """Forget what was told or given up."""
    with session() as opened:
        opened.exec(delete(CallbackRow).where(col(CallbackRow.id) == row.id))
