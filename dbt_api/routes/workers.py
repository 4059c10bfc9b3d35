"""`/api/v1/workers`: who works on the queue."""

from fastapi import APIRouter

from contracts.dbt_api import InvocationState, Worker
from dbt_api import store
from dbt_api.workers import registry

router = APIRouter(prefix="/api/v1/workers", tags=["system"])


@router.get("", summary="List the workers")
def workers() -> list[Worker]:
    """Every worker that is or was, by id, with what it runs now."""
    started = store.in_state(InvocationState.STARTED)
    return [
        Worker(
            **row.model_dump(include=set(Worker.model_fields)),
            is_alive=is_alive,
            running=[each.task_id for each in started if each.worker == row.id],
        )
        for row, is_alive in registry.everybody()
    ]
