"""The server itself: whether it lives, whether it can take work, its version, its metrics."""

import platform
import shutil
import time
from functools import lru_cache
from typing import Annotated

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from contracts.dbt_api import Health, InvocationState, Scope, Version
from dbt_api import database, metrics, store
from dbt_api.auth.access import needs
from dbt_api.auth.identity import Caller
from dbt_api.lifecycle import draining
from dbt_api.running.dbt_process import adapters, installed
from dbt_api.running.warm import warm_states
from dbt_api.settings import settings
from dbt_api.version import VERSION
from dbt_api.workers import registry
from dbt_api.workers.lease import lease

DISK_BYTES = 100 << 20
router = APIRouter(tags=["system"])
"""Open routes."""
guarded = APIRouter(tags=["system"], dependencies=[needs(Scope.RUN_READ)])
"""Routes behind the login."""


@router.get("/healthz", summary="Whether the server lives")
def healthz() -> dict[str, str]:
    """Checks nothing but that requests are answered."""
    return {"status": "ok"}


@router.get("/ready", summary="Whether the server can take work")
@router.post("/ready", summary="Whether the server can take work, as dbt-labs' clients ask")
def ready(response: Response) -> Health:
    """Writes to the database, looks for a live worker, dbt and disk; 503 when one is wanting. Needs no login."""
    health = _health(int(time.monotonic()))
    response.status_code = 200 if health.ready else 503
    return health


@lru_cache(maxsize=1)
def _health(_second: int) -> Health:
    """At most once a second, since anybody may ask."""
    problems = _problems()
    counted = not problems
    return Health(
        ready=not problems,
        version=VERSION,
        dbt_version=installed().get("core"),
        adapters=adapters(),
        engines=warm_states(),
        queued=store.count(InvocationState.PENDING) if counted else 0,
        running=store.count(InvocationState.STARTED) if counted else 0,
        workers=sum(is_alive for _, is_alive in registry.everybody()) if counted else 0,
        problems=problems,
    )


def _problems() -> list[str]:
    problems = []
    try:
        database.check_write()
        if not any(is_alive for _, is_alive in registry.everybody()):
            problems.append("No worker is alive, so nothing would run.")
    except Exception as error:
        problems.append(f"The database cannot be written: {type(error).__name__}.")
    if draining.is_set():
        problems.append("It is being stopped and takes no more work.")
    if lease.lapsed:
        problems.append("This worker's lease has lapsed: it cannot reach the database.")
    for dbt in settings().dbt_environments.values():
        if not dbt.exists():
            problems.append(f"There is no dbt at {dbt}.")
    if shutil.disk_usage(settings().data).free < DISK_BYTES:
        problems.append(f"Less than {DISK_BYTES >> 20} MiB are free where the data lies.")
    return problems


@guarded.get("/version", summary="What runs here")
def version() -> Version:
    """Versions of the dbt API, its schema, dbt and Python."""
    return Version(
        version=VERSION, schema_version=database.schema_version(), dbt=installed(), python=platform.python_version()
    )


@guarded.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
def all_metrics(caller: Annotated[Caller, needs(Scope.RUN_READ)]) -> Response:
    """Queue and invocations as the database has them; requests and durations of this process."""
    caller.check_unbound()
    return Response(metrics.rendered(), media_type=CONTENT_TYPE_LATEST)
