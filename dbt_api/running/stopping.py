"""Stops one dbt process for a reason on record: SIGINT, a grace period, SIGTERM, five seconds, SIGKILL.

SIGINT lets dbt cancel its queries and write its results; SIGTERM would lose both. dbt cancels what runs at that moment:
a query that a node was about to send goes out after it, and dbt would wait for its end. Such a dbt gets another SIGINT.
"""

import signal
import time
from contextlib import suppress

from dbt_api import store
from dbt_api.errors import ApiError
from dbt_api.lifecycle import stopping
from dbt_api.projects.bundles import folder_of
from dbt_api.projects.profile import read_profile
from dbt_api.projects.registry import find_project
from dbt_api.running.attempt import Attempt
from dbt_api.settings import settings
from dbt_api.tables import InvocationRow, StopReason, now

ROW_LOOK_SECONDS = 0.1
TERM_GRACE_SECONDS = 5
AGAIN_SECONDS = 2
CANCELS, QUERIES = b'"name": "LogCancelLine"', b'"name": "SQLQuery"'


class Stopping:
    """Watches for the three reasons to stop: an abort, the time limit, the end of the server."""

    def __init__(self, row: InvocationRow, attempt: Attempt) -> None:
        self._row = row
        self._attempt = attempt
        self._next_look = time.monotonic() + ROW_LOOK_SECONDS  # the row was just read
        self._reason: StopReason | None = None
        self._usual_grace = settings().abort_grace_seconds
        self._since = 0.0
        self._sent: list[signal.Signals] = []
        self._log_bytes = 0
        self._checked_at = 0.0

    def look(self) -> None:
        """Do what is due now. Called again and again while the attempt lives."""
        self._notice()
        if self._reason is not None:
            self._escalate()

    def _notice(self) -> None:
        if time.monotonic() < self._next_look and not stopping.is_set():
            return
        self._next_look = time.monotonic() + ROW_LOOK_SECONDS
        if stopping.is_set():
            store.ask_to_stop(self._row.task_id, StopReason.SHUTDOWN)
        elif self._is_too_late():
            because = f"dbt ran longer than its time limit of {self._row.timeout_seconds} s and was stopped."
            store.ask_to_stop(self._row.task_id, StopReason.TIMEOUT, because)
        self._row = store.find(self._row.task_id) or self._row
        if self._reason is None and self._row.stop_reason is not None:
            self._reason, self._since = self._row.stop_reason, time.monotonic()
            self._usual_grace = usual_grace(self._row)

    def _is_too_late(self) -> bool:
        limit, started = self._row.timeout_seconds, self._row.started_at
        return limit is not None and started is not None and (now() - started).total_seconds() > limit

    def _escalate(self) -> None:
        for number, after_seconds in self._plan():
            if time.monotonic() - self._since >= after_seconds and number not in self._sent:
                self._send(number)
        if self._sent == [signal.SIGINT] and self._queries_all_the_same():
            self._send(signal.SIGINT)

    def _send(self, number: signal.Signals) -> None:
        log_bytes = self._attempt.log.stat().st_size
        if self._attempt.send(number):
            self._log_bytes, self._checked_at = log_bytes, time.monotonic()
            self._sent = list(dict.fromkeys([*self._sent, number]))

    def _queries_all_the_same(self) -> bool:
        """Whether dbt sent a query after it had cancelled those that ran; looked up every few seconds."""
        if time.monotonic() - self._checked_at < AGAIN_SECONDS:
            return False
        self._checked_at = time.monotonic()
        with self._attempt.log.open("rb") as log:
            log.seek(self._log_bytes)
            since = log.read()
        return since.rfind(QUERIES) > since.rfind(CANCELS)

    def _plan(self) -> list[tuple[signal.Signals, float]]:
        stops = stopping.is_set()
        asked = self._row.stop_grace_seconds
        grace = settings().stop_grace_seconds if stops else self._usual_grace
        grace = grace if asked is None else min(grace, asked) if stops else asked
        return [
            (signal.SIGINT, 0),
            (signal.SIGTERM, grace),
            (signal.SIGKILL, grace + TERM_GRACE_SECONDS),
        ]


def usual_grace(row: InvocationRow) -> float:
    """Seconds between SIGINT and SIGTERM where an abort names none: its adapter's own, if the settings have one."""
    adapters = {}
    with suppress(ApiError):  # its files cannot be had any more
        project = find_project(row.project)
        adapters = (read_profile(folder_of(project)).adapters if project is not None else None) or {}
    adapter = adapters.get(row.concurrency_key.partition("/")[2], "")
    return settings().abort_grace_by_adapter.get(adapter, settings().abort_grace_seconds)
