"""The open routes: whether the server lives, and whether it can take work."""

import shutil

from fastapi import APIRouter, Response
from sqlalchemy import text

from contracts.dbt_api import Health, InvocationState
from dbt_api import store
from dbt_api.database import session
from dbt_api.running.dbt_process import adapters, installed
from dbt_api.settings import settings

VERSION = "1"
DISK_BYTES = 100 << 20
router = APIRouter(tags=["system"])


@router.get("/healthz", summary="Whether the server lives")
def healthz() -> dict[str, str]:
    """Checks nothing but that requests are answered."""
    return {"status": "ok"}


@router.get("/ready", summary="Whether the server can take work")
@router.post("/ready", summary="Whether the server can take work, as dbt-labs' clients ask")
def ready(response: Response) -> Health:
    """Checks the database, dbt and the disk; 503 when one of them is wanting. Needs no login."""
    problems = _problems()
    response.status_code = 503 if problems else 200
    counted = not problems
    return Health(
        ready=not problems,
        version=VERSION,
        dbt_version=installed().get("core"),
        adapters=adapters(),
        queued=store.count(InvocationState.PENDING) if counted else 0,
        running=store.count(InvocationState.STARTED) if counted else 0,
        problems=problems,
    )


def _problems() -> list[str]:
    problems = []
    try:
        with session() as opened:
            opened.connection().execute(text("SELECT 1 FROM invocation LIMIT 1"))
    except Exception as error:
        problems.append(f"The database cannot be reached: {type(error).__name__}.")
    if not settings().dbt.exists():
        problems.append(f"There is no dbt at {settings().dbt}.")
    if shutil.disk_usage(settings().data).free < DISK_BYTES:
        problems.append(f"Less than {DISK_BYTES >> 20} MiB are free where the data lies.")
    return problems
