"""The durable queue: one invocation = one DBOS workflow whose id is the task_id.

One partition per project and target with one runner each: dbt has no lock of its own between processes. DBOS only
hands out turns; the invocation's row is the authority. A running workflow is never cancelled in DBOS: that would give
its target to the next one while its dbt still writes.
"""

from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID

from contracts.dbt_api import InvocationState
from dbt_api import store
from dbt_api.running import runner
from dbt_api.settings import settings
from dbt_api.tables import InvocationRow

QUEUE = "invocations"
APPLICATION_VERSION = "1"
"""Constant: DBOS recovers only workflows of its own version. Change it on purpose, with an empty queue."""
RECOVERIES = 100


@DBOS.workflow(name="invocation", max_recovery_attempts=RECOVERIES)
def invocation_workflow(task_id: str) -> None:
    """A turn of the queue; DBOS calls it again after a crash."""
    runner.carry(task_id)


def open_queue() -> None:
    """Start taking work: first what a killed server left running, then what waits."""
    config = DBOSConfig(
        name="pilothouse-dbt-api",
        system_database_url=settings().queue_url,
        application_version=APPLICATION_VERSION,
        executor_id=settings().executor_id,
        log_level="WARNING",
    )
    DBOS(config=config)
    DBOS.launch()
    DBOS.register_queue(
        QUEUE,
        worker_concurrency=settings().slots,
        partition_concurrency=1,
        polling_interval_sec=settings().queue_poll_seconds,
        on_conflict="always_update",
    )
    for row in store.in_state(InvocationState.PENDING):
        enqueue(row)


def enqueue(row: InvocationRow) -> None:
    """Give an invocation its place; one that has a place keeps it."""
    options = SetEnqueueOptions(priority=row.priority, queue_partition_key=row.concurrency_key)
    with SetWorkflowID(row.task_id), options:
        DBOS.enqueue_workflow(QUEUE, invocation_workflow, row.task_id)


def forget(task_id: str) -> None:
    """Take an invocation that never started out of the queue."""
    DBOS.cancel_workflow(task_id)


def close_queue() -> None:
    """Stop taking work; what runs has been ended by the runner."""
    DBOS.destroy()
