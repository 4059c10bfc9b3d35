"""The table of workers: who is alive, by leases that are renewed, measured by the database's clock alone."""

import socket
import time
from datetime import datetime, timedelta

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from dbt_api.database import session
from dbt_api.settings import settings
from dbt_api.tables import WorkerRow, now
from dbt_api.version import VERSION

CLAIM_LOOK_SECONDS = 0.5


class WorkerRefused(Exception):
    """What keeps a process from being a worker now, in a sentence that says what to do."""


def database_now(opened: Session) -> datetime:
    """The one clock that leases are measured by, so that the clocks of hosts may differ."""
    if not settings().is_shared:
        return now()
    moment = opened.exec(select(func.now())).one()
    assert isinstance(moment, datetime)
    return moment


def is_alive(row: WorkerRow, moment: datetime) -> bool:
    """Whether a worker's lease holds at a moment of the database's clock."""
    return row.gone_at is None and row.last_seen_at + timedelta(seconds=row.lease_seconds) > moment


def everybody() -> list[tuple[WorkerRow, bool]]:
    """All workers by id, each with whether it is alive."""
    with session() as opened:
        moment = database_now(opened)
        rows = list(opened.exec(select(WorkerRow).order_by(col(WorkerRow.id))))
    return [(row, is_alive(row, moment)) for row in rows]


def slots() -> int:
    """How many dbt commands may run at a time: the slots of all workers that are alive."""
    return sum(row.slots for row, is_alive in everybody() if is_alive)


def holders() -> set[str]:
    """Ids of the workers that are neither gone nor declared lost."""
    return {row.id for row, _ in everybody() if row.gone_at is None}


def claim(incarnation: str, *, folder: str) -> bool:
    """Become the worker of our id. True when an earlier one had another data folder, so what it ran is lost.

    With the same folder an earlier worker is surely dead, since we hold that folder's lock. With another one it may
    live on another host: then its lease decides. Raises WorkerRefused when it is being renewed.
    """
    seen: datetime | None = None
    while (holder := _take(incarnation, folder)) is not None and holder.incarnation != incarnation:
        if seen is not None and holder.last_seen_at != seen:
            raise WorkerRefused(
                f"The worker '{holder.id}' is already alive on host '{holder.host}'. "
                "Give every worker its own PILOTHOUSE_DBT_API_WORKER_ID."
            )
        seen = holder.last_seen_at
        time.sleep(CLAIM_LOOK_SECONDS)
    return holder is not None


def _take(incarnation: str, folder: str) -> WorkerRow | None:
    """Write our row unless somebody alive elsewhere holds it.

    Gives back who stands in the way; ourselves when we replaced somebody with another folder; None otherwise.
    """
    with session() as opened:
        moment = database_now(opened)
        held = opened.exec(select(WorkerRow).where(WorkerRow.id == settings().worker_name).with_for_update()).first()
        elsewhere = held is not None and held.folder != folder
        if held is not None and elsewhere and is_alive(held, moment):
            return held
        ours = WorkerRow(
            id=settings().worker_name,
            incarnation=incarnation,
            folder=folder,
            host=socket.gethostname(),
            version=VERSION,
            slots=settings().slots,
            lease_seconds=settings().worker_lease_seconds,
            started_at=moment,
            last_seen_at=moment,
        )
        opened.merge(ours)
        return ours if elsewhere else None


def renew(incarnation: str) -> bool:
    """Prolong our lease; False when we were declared lost or replaced."""
    with session() as opened:
        return _update(opened, incarnation, last_seen_at=database_now(opened))


def farewell(incarnation: str) -> None:
    """End our lease: nothing of ours runs any more."""
    with session() as opened:
        _update(opened, incarnation, gone_at=database_now(opened))


def declare_lost() -> list[WorkerRow]:
    """Close the leases that have lapsed, so that their workers cannot renew them. Gives back the lost."""
    with session() as opened:
        moment = database_now(opened)
        silent = [
            row
            for row in opened.exec(select(WorkerRow).where(col(WorkerRow.gone_at).is_(None)))
            if not is_alive(row, moment)
        ]
        return [
            row
            for row in silent
            if _update(opened, row.incarnation, seen=row.last_seen_at, gone_at=moment, is_lost=True)
        ]


def _update(opened: Session, incarnation: str, *, seen: datetime | None = None, **values: object) -> bool:
    statement = update(WorkerRow).where(col(WorkerRow.incarnation) == incarnation, col(WorkerRow.gone_at).is_(None))
    if seen is not None:
        statement = statement.where(col(WorkerRow.last_seen_at) == seen)
    return bool(opened.exec(statement.values(**values)).rowcount)
