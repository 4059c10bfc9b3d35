"""The durable queue: one invocation = one DBOS workflow whose id is the task_id.

One partition per project and target with one runner each: dbt has no lock of its own between processes. DBOS only
hands out turns; the invocation's row is the authority. A running workflow is never cancelled in DBOS: that would give
its target to the next one while its dbt still writes.

Requests use DBOS's client, which fails when the database is away, where DBOS itself would wait for ever.
"""

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Collection
from enum import StrEnum
from functools import cache

from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions

from contracts.dbt_api import InvocationState
from dbt_api import queue_bell, queue_order, store
from dbt_api.lifecycle import stopping
from dbt_api.running import runner
from dbt_api.running.stopping import TERM_GRACE_SECONDS
from dbt_api.settings import settings
from dbt_api.tables import InvocationRow
from dbt_api.workers.lost import is_ours

NAME = "pilothouse-dbt-api"
QUEUE = "invocations"
WORKFLOW = "invocation"
APPLICATION_VERSION = "1"
"""Constant: DBOS recovers only workflows of its own version. Change it on purpose, with an empty queue."""
RECOVERIES = 100
BATCH = 1000
RECORDING_SECONDS = 10
"""Allowance for writing down how a workflow ended, after its dbt has ended."""


class Whereabouts(StrEnum):
    """Where the queue has an invocation."""

    WAITING = "waiting"
    TAKEN = "taken"
    ENDED = "ended"


_WHEREABOUTS = {"ENQUEUED": Whereabouts.WAITING, "DELAYED": Whereabouts.WAITING, "PENDING": Whereabouts.TAKEN}
_in_flight: set[str] = set()
_followers: list[threading.Thread] = []
_is_open = False


@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=RECOVERIES)
def invocation_workflow(task_id: str) -> None:
    """A turn of the queue; DBOS calls it again after a crash."""
    _in_flight.add(task_id)
    try:
        runner.carry(task_id)
    finally:
        _in_flight.discard(task_id)
        queue_bell.ring()


def open_queue(*, takes_work: bool) -> None:
    """Connect to the queue; a worker takes up what it left when it was killed, and then what waits."""
    global _is_open
    server = f"server-{socket.gethostname()}-{os.getpid()}"
    config = DBOSConfig(
        name=NAME,
        system_database_url=settings().queue_url,
        application_version=APPLICATION_VERSION,
        executor_id=settings().worker_name if takes_work else server,
        log_level="WARNING",
    )
    DBOS(config=config)
    if takes_work:
        queue_bell.hang(QUEUE)
        queue_order.order(QUEUE)
    else:
        DBOS.listen_queues([])
    DBOS.launch()
    log = logging.getLogger("dbos")  # its lines in our form
    log.handlers, log.propagate, log.level = [], True, logging.WARNING
    DBOS.register_queue(
        QUEUE,
        worker_concurrency=settings().slots,
        partition_concurrency=1,
        polling_interval_sec=settings().look_seconds,
        on_conflict="always_update" if takes_work else "never_update",
    )
    _is_open = True
    if takes_work:
        _follow_what_we_started()


def _follow_what_we_started() -> None:
    """After a restart another worker may get the turn of what runs here: it waits for us to bring it to its end."""
    for row in store.in_state(InvocationState.STARTED):
        if is_ours(row):
            follower = threading.Thread(target=_follow, args=(row.task_id,), name=f"follower of {row.task_id}")
            follower.start()
            _followers.append(follower)


def _follow(task_id: str) -> None:
    with contextlib.suppress(runner.ServerStopping):
        runner.carry(task_id)


@cache
def _client() -> DBOSClient:
    return DBOSClient(
        system_database_url=settings().queue_url, application_name=NAME, retry_connection_errors=False, lazy=True
    )


def enqueue(row: InvocationRow) -> None:
    """Give an invocation its place; one that has a place keeps it."""
    options: EnqueueOptions = {
        "queue_name": QUEUE,
        "workflow_name": WORKFLOW,
        "workflow_id": row.task_id,
        "app_version": APPLICATION_VERSION,
        "priority": row.priority,
        "queue_partition_key": row.concurrency_key,
    }
    _client().enqueue(options, row.task_id)
    queue_bell.ring()


def forget(task_id: str) -> None:
    """Take an invocation that never started out of the queue."""
    _client().cancel_workflow(task_id)


def delete(task_ids: list[str]) -> None:
    """Delete all trace of ended invocations from the queue."""
    if task_ids:
        _client().delete_workflows(task_ids)


def whereabouts(task_ids: list[str]) -> dict[str, Whereabouts]:
    """Where the queue has these invocations; one that it does not know is absent."""
    found = [
        each
        for start in range(0, len(task_ids), BATCH)
        for each in _client().list_workflows(
            workflow_ids=task_ids[start : start + BATCH], load_input=False, load_output=False
        )
    ]
    return {each.workflow_id: _WHEREABOUTS.get(each.status, Whereabouts.ENDED) for each in found}


def count_waiting() -> int:
    """How many wait for their turn."""
    return len(_client().list_workflows(status="ENQUEUED", queue_name=QUEUE, load_input=False, load_output=False))


def give_back_all_but(alive: Collection[str]) -> None:
    """Queue again what workers other than these had taken.

    DBOS offers this to its own control plane only (its Conductor), hence the underscore; the lock pins the version.
    """
    taken = _client().list_workflows(status="PENDING", queue_name=QUEUE, load_input=False, load_output=False)
    gone = {each.executor_id for each in taken if each.executor_id is not None} - set(alive)
    if gone:
        DBOS._recover_pending_workflows(sorted(gone))


def close_queue() -> None:
    """Take no more work; let what runs go on for the drain time, then have the runner interrupt it; return at its end.

    Safe to repeat.
    """
    global _is_open
    if not _is_open:
        return
    _is_open = False
    drain = settings().drain_seconds
    timer = threading.Timer(drain, stopping.set)
    timer.daemon = True
    timer.start()
    patience = drain + settings().stop_grace_seconds + TERM_GRACE_SECONDS + RECORDING_SECONDS
    DBOS.destroy(workflow_completion_timeout_sec=int(patience) if _in_flight else 0)
    for follower in _followers:
        follower.join(timeout=patience)
    timer.cancel()
    stopping.set()
    until = time.monotonic() + patience
    while _in_flight and time.monotonic() < until:  # a turn that came in the last moment
        time.sleep(0.05)
