"""Hands out turns by priority and arrival, whatever project and target they are for.

DBOS keeps the order within a partition only: when more partitions wait than slots are free, it draws lots between them.
Here the partitions are asked for their heads one by one, in the order of what waits. The claim itself, which makes sure
that nobody else has the turn or the partition, stays DBOS's.
"""

import inspect
import sys
from collections.abc import Iterable
from typing import Any

from dbos._sys_db import SystemDatabase
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

_PARAMETERS = ["self", "queue", "executor_id", "app_version", "max_tasks", "owner_xid", "is_latest_version"]
_NO_LOAD = 0
"""What else the worker runs: its free slots are counted before the partitions are asked."""


def order(queue_name: str) -> None:
    """Let DBOS hand out this queue's turns in our order. Before its launch; where it isn't as we know it, its own."""
    dbos: Any = SystemDatabase
    lots = dbos.start_queued_partitioned_workflows
    if list(inspect.signature(lots).parameters) != _PARAMETERS:
        return

    def claim(
        database: Any, queue: Any, executor: str, version: str, max_tasks: int = sys.maxsize, **more: Any
    ) -> list[str]:
        if queue.name != queue_name:
            return list(lots(database, queue, executor, version, max_tasks, **more))
        claimed: list[str] = []
        for partition in _waiting(database, queue_name):
            if len(claimed) == max_tasks:
                break
            try:
                found, _ = database.start_queued_workflows(queue, executor, version, partition, _NO_LOAD, **more)
            except DBAPIError as error:
                if _is_another_workers(database, error):
                    continue
                if claimed:  # they are ours and must be started; the next look meets the error again
                    break
                raise
            claimed += found
        return claimed

    dbos.start_queued_partitioned_workflows = claim


def _waiting(database: Any, queue_name: str) -> Iterable[str]:
    """The partitions that something waits in, whose head waits first by priority (1 is first) and arrival."""
    row = database.tables.workflow_status.c
    waiting = (
        select(row.queue_partition_key)
        .where(row.queue_name == queue_name, row.status == "ENQUEUED")
        .order_by(row.priority, row.created_at)
    )
    with database.engine.connect() as connection:
        return dict.fromkeys(connection.scalars(waiting))


def _is_another_workers(database: Any, error: DBAPIError) -> bool:
    """Whether another worker was faster: the next partition may still be free."""
    return bool(database.is_lock_conflict(error) or database.is_serialization_conflict(error))
