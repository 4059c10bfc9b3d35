"""`/api/v1/workers`: who works on the queue."""

from typing import Annotated

from fastapi import APIRouter

from contracts.dbt_api import InvocationState, Scope, Worker
from dbt_api import store
from dbt_api.auth.access import needs
from dbt_api.auth.identity import Caller
from dbt_api.workers import registry

router = APIRouter(prefix="/api/v1/workers", tags=["system"])


@router.get("", summary="List the workers")
def workers(caller: Annotated[Caller, needs(Scope.RUN_READ)]) -> list[Worker]:
    """Every worker that is or was, by id, with what it runs now."""
    caller.check_unbound()
    started = store.in_state(InvocationState.STARTED)
    return [
        Worker(
            **row.model_dump(include=set(Worker.model_fields)),
            is_alive=is_alive,
            running=[each.task_id for each in started if each.worker == row.id],
        )
        for row, is_alive in registry.everybody()
    ]
