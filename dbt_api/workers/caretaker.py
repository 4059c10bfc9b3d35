"""Keeps queue and invocations true to each other, whoever was killed: a thread of every server and worker.

Everything it does is safe to do twice, and by several processes at a time.
"""

import logging
import threading
import time

from sqlalchemy.exc import SQLAlchemyError

from contracts.dbt_api import InvocationState
from dbt_api import queue, store
from dbt_api.running.attempt import Attempt
from dbt_api.settings import settings
from dbt_api.tables import InvocationRow
from dbt_api.workers import lost, registry, retention

LOG = logging.getLogger(__name__)
LOOKS_PER_LEASE = 12
MAX_LOOK_SECONDS = 5.0
REPAIR_SECONDS = 30.0
RETENTION_SECONDS = 3600.0


class Caretaker:
    """Looks after lost workers every few seconds, after the queue every half minute, after old files every hour."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._due = {"repair": 0.0, "retention": 0.0}
        self._thread = threading.Thread(target=self._keep, daemon=True, name="caretaker")

    def start(self) -> None:
        """Look once, so that what an earlier process left is in order, and then keep looking."""
        self._look()
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def _keep(self) -> None:
        while not self._stop.wait(min(MAX_LOOK_SECONDS, settings().worker_lease_seconds / LOOKS_PER_LEASE)):
            self._look()

    def _look(self) -> None:
        try:
            account_for_the_lost()
            if self._is_due("repair", REPAIR_SECONDS):
                repair()
            if self._is_due("retention", RETENTION_SECONDS):
                retention.apply()
        except SQLAlchemyError as error:
            LOG.warning("The queue could not be looked after: %s", error)
        except Exception:
            LOG.exception("The queue could not be looked after")

    def _is_due(self, what: str, seconds: float) -> bool:
        if time.monotonic() < self._due[what]:
            return False
        self._due[what] = time.monotonic() + seconds
        return True


def account_for_the_lost() -> None:
    """End or repeat what lost workers ran, and give what they had taken but not begun back to the queue."""
    if not settings().is_shared:  # the only worker is this one, and follows what it had started
        return queue.give_back_all_but({settings().worker_name})
    for worker in registry.declare_lost():
        LOG.error("The worker '%s' on host '%s' is silent and counts as lost", worker.id, worker.host)
    started = store.in_state(InvocationState.STARTED)
    holders = registry.holders()  # read after the rows: whoever started one of them is among the holders or gone
    for row in started:
        if row.worker not in holders:
            lost.account_for(row)
    return queue.give_back_all_but(holders)


def repair() -> None:
    """Queue what was stored but not queued, and end what the queue has given up."""
    rows = [*store.in_state(InvocationState.PENDING), *store.in_state(InvocationState.STARTED)]
    known = queue.whereabouts([row.task_id for row in rows])
    for row in rows:
        if row.task_id not in known and row.state is InvocationState.PENDING:
            queue.enqueue(row)
        elif known.get(row.task_id) == queue.Whereabouts.ENDED and not _runs_here(row):
            lost.account_for(row, "The queue gave the invocation up after too many attempts.")


def _runs_here(row: InvocationRow) -> bool:
    return row.state is InvocationState.STARTED and Attempt(row.task_id, row.attempt).is_alive()
