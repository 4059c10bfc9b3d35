"""Forgets old invocations: rows, places in the queue, files. Off unless `retention_days` is set."""

import logging
import shutil
import time
from datetime import timedelta

from sqlmodel import col, delete, select

from dbt_api import queue
from dbt_api.database import session
from dbt_api.records import shared_files
from dbt_api.settings import settings
from dbt_api.store import TERMINAL
from dbt_api.tables import InvocationRow, now

LOG = logging.getLogger(__name__)
BATCH = 500


def apply() -> None:
    """Delete what ended more than `retention_days` ago. Each host sweeps its own folder; safe to repeat."""
    days = settings().retention_days
    if days is None:
        return
    while forgotten := _forget_rows(days):
        LOG.info("Deleted %d invocations that ended more than %d days ago", forgotten, days)
    _sweep_folders(days)


def _forget_rows(days: int) -> int:
    with session() as opened:
        old = select(InvocationRow.task_id).where(
            col(InvocationRow.state).in_(TERMINAL), col(InvocationRow.finished_at) < now() - timedelta(days=days)
        )
        task_ids = list(opened.exec(old.limit(BATCH)))
    shared_files.forget(task_ids)
    queue.delete(task_ids)
    with session() as opened:
        opened.exec(delete(InvocationRow).where(col(InvocationRow.task_id).in_(task_ids)))
    return len(task_ids)


def _sweep_folders(days: int) -> None:
    """Remove the folders whose invocation is gone; recent ones are left alone, since their row may be on its way."""
    if not settings().attempts.is_dir():
        return
    old = [each for each in settings().attempts.iterdir() if time.time() - each.stat().st_mtime > days * 24 * 3600]
    for start in range(0, len(old), BATCH):
        batch = old[start : start + BATCH]
        with session() as opened:
            names = [each.name for each in batch]
            known = set(opened.exec(select(InvocationRow.task_id).where(col(InvocationRow.task_id).in_(names))))
        for folder in batch:
            if folder.name not in known:
                shutil.rmtree(folder, ignore_errors=True)
