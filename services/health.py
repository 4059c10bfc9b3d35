"""How the outside systems are, as the collector last heard: pages show it with its age."""

import logging
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError
from sqlmodel import select

from models.system import SystemHealth
from models.types import now
from services.database import session

AIRFLOW = "airflow"
DBT_API = "dbt-api"
COLLECTOR = "collector"
KUBERNETES = "kubernetes"
"""The collector's loop over clusters; each cluster has a health of its own (services.clusters.system_of)."""
GOOGLE = "google"
"""The collector's loop over Google projects; each project has a health of its own (services.google.listing)."""
SYSTEMS = (AIRFLOW, DBT_API, COLLECTOR)

logger = logging.getLogger(__name__)

SILENCE = timedelta(seconds=30)
"""A collector that wrote no heartbeat for so long is not running."""


def systems() -> list[SystemHealth]:
    """All systems in a fixed order; one that was never heard of, or whose reporter is silent, is not reachable."""
    with session() as opened:
        known = {row.system: row for row in opened.exec(select(SystemHealth))}
    return [_judged(known.get(system) or SystemHealth(system=system, reachable=False)) for system in SYSTEMS]


def of_system(system: str) -> SystemHealth:
    """One system by its name, known or not."""
    with session() as opened:
        return _judged(opened.get(SystemHealth, system) or SystemHealth(system=system, reachable=False))


def _judged(row: SystemHealth) -> SystemHealth:
    if row.last_good_at is None and not row.message:
        row.message = "Not heard of yet."
    if row.system == COLLECTOR and row.reachable and now() - row.checked_at > SILENCE:
        row.reachable = False
        row.message = "The collector is not running: what pages show is as old as its last report."
    return row


def report(
    system: str,
    *,
    reachable: bool,
    message: str = "",
    version: str | None = None,
    scheduler_is_healthy: bool | None = None,
) -> None:
    """Store what was just heard of a system. A failure keeps the last good time and version.

    A database that is busy for too long loses this report and not the reporter: the next comes within seconds.
    """
    try:
        with session() as opened:
            row = opened.get(SystemHealth, system) or SystemHealth(system=system, reachable=reachable)
            row.reachable, row.message, row.checked_at = reachable, message, now()
            row.scheduler_is_healthy = scheduler_is_healthy
            if reachable:
                row.last_good_at = row.checked_at
                row.version = version or row.version
            opened.add(row)
    except OperationalError as error:
        logger.warning("How %s is could not be stored: %s", system, error.orig)


def collected_until() -> datetime | None:
    """When the collector last reported itself at work; None when it never did."""
    with session() as opened:
        row = opened.get(SystemHealth, COLLECTOR)
        return row.last_good_at if row else None
