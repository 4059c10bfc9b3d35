"""`/api/v1/invocations`: submit, watch, abort. What they left: `routes.records`."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from contracts.dbt_api import AbortRequest, Invocation, InvocationPage, InvocationState, SubmitInvocation
from dbt_api import invocations, store
from dbt_api.errors import not_found
from dbt_api.waiting import wait_for_change

router = APIRouter(prefix="/api/v1/invocations", tags=["invocations"])


@router.post("", status_code=202, summary="Submit a dbt command")
def submit(body: SubmitInvocation, response: Response) -> Invocation:
    """Queue a dbt command. The same task_id and body again is the same invocation (200); another body is 409."""
    row, is_new = invocations.submit(body)
    response.headers["Location"] = f"/api/v1/invocations/{row.task_id}"
    if not is_new:
        response.status_code = 200
        response.headers["Idempotent-Replay"] = "true"
    return invocations.described(row)


@router.get("", summary="List invocations, newest first")
def page(
    state: InvocationState | None = None,
    project: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    cursor: Annotated[str | None, Query(pattern=r"^\d{1,18}$", description="next_cursor of the page before.")] = None,
) -> InvocationPage:
    """One page, without artifacts."""
    before = int(cursor) if cursor else None
    rows = store.page(limit=limit + 1, before=before, state=state, project=project)
    return InvocationPage(
        invocations=[store.shown(row, log=invocations.log_size(row)) for row in rows[:limit]],
        next_cursor=str(rows[limit - 1].id) if len(rows) > limit else None,
    )


@router.get("/{task_id}", summary="Read one invocation, or wait for its change")
async def read(
    task_id: str,
    wait: Annotated[float, Query(ge=0, le=60, description="Seconds to wait for a change of state.")] = 0,
    since_state: Annotated[InvocationState | None, Query(description="The state that the caller knows.")] = None,
) -> Invocation:
    """The invocation; with `wait`, as soon as its state differs from `since_state` (default: what it is now)."""
    row = await wait_for_change(task_id, seconds=wait, since=since_state)
    if row is None:
        raise not_found("invocation", task_id)
    return invocations.described(row)


@router.post("/{task_id}/abort", status_code=202, summary="Abort an invocation")
def abort(task_id: str, body: AbortRequest | None = None) -> Invocation:
    """A waiting one ends at once; a running dbt is interrupted gracefully; an ended one stays as it is."""
    row = invocations.get(task_id)
    return invocations.described(invocations.abort(row, reason=body.reason if body else None))
