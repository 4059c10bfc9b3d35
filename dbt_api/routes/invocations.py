"""`/api/v1/invocations`: submit, list, watch, abort, retry. What they left: `routes.records`."""

from typing import Annotated, TypeVar

from fastapi import APIRouter, Header, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from contracts.dbt_api import (
    AbortRequest,
    Invocation,
    InvocationPage,
    InvocationState,
    RetryRequest,
    Scope,
    SubmitInvocation,
)
from dbt_api import entity, invocations
from dbt_api.auth.access import needs
from dbt_api.auth.identity import Caller
from dbt_api.composition import task_id_of_key
from dbt_api.errors import ApiError, not_found
from dbt_api.listing import Listing, rows_of, total_of
from dbt_api.openapi import problems
from dbt_api.routes.conditional import etag_of, is_known
from dbt_api.routes.parameters import IdempotencyKey, TaskIdInPath
from dbt_api.tables import InvocationRow
from dbt_api.waiting import wait_for_change

router = APIRouter(prefix="/api/v1/invocations", tags=["invocations"])
LOG_TYPE = "application/x-ndjson"
LOOK_AGAIN_SECONDS = 1
Body = TypeVar("Body", SubmitInvocation, RetryRequest)


@router.post(
    "",
    status_code=202,
    summary="Submit a dbt command",
    responses={200: {"model": Invocation, "description": "It was submitted before."}, **problems(404, 409, 429)},
)
def submit(
    body: SubmitInvocation,
    response: Response,
    caller: Annotated[Caller, needs(Scope.RUN_WRITE)],
    idempotency_key: IdempotencyKey = None,
) -> Invocation:
    """Queue a dbt command. The same task_id and body again is the same invocation (200); another body is 409."""
    row, is_new = invocations.submit(caller.submission(_keyed(body, idempotency_key)))
    caller.resource = row.task_id
    return _answer(response, row, is_new)


def _keyed(body: Body, key: str | None) -> Body:
    if key is None:
        return body
    task_id = task_id_of_key(key)
    if body.task_id not in (None, task_id):
        raise ApiError(422, "The Idempotency-Key and the task_id differ: one of them is enough.")
    return body.model_copy(update={"task_id": task_id})


def _answer(response: Response, row: InvocationRow, is_new: bool) -> Invocation:
    response.headers["Location"] = f"/api/v1/invocations/{row.task_id}"
    if not is_new:
        response.status_code = 200
        response.headers["Idempotent-Replay"] = "true"
    return invocations.described(row)


@router.get("", summary="List invocations")
def page(query: Annotated[Listing, Query()], caller: Annotated[Caller, needs(Scope.RUN_READ)]) -> InvocationPage:
    """One page, without artifacts: newest first unless `sort` says otherwise."""
    query = query.model_copy(update={"project": caller.narrowed(query.project)})
    rows, cursor = rows_of(query)
    return InvocationPage(
        invocations=entity.described(rows), next_cursor=cursor, total=total_of(query) if query.total else None
    )


@router.get(
    "/{task_id}",
    summary="Read one invocation, or wait for its change",
    response_model=Invocation,
    responses={304: {"description": "The caller knows this already."}},
    dependencies=[needs(Scope.RUN_READ)],
)
async def read(
    task_id: TaskIdInPath,
    wait: Annotated[float, Query(ge=0, le=60, description="Seconds to wait for a change of state.")] = 0,
    since_state: Annotated[InvocationState | None, Query(description="The state that the caller knows.")] = None,
    if_none_match: Annotated[str | None, Header(description="ETag of the answer that the caller has.")] = None,
) -> Response:
    """The invocation; with `wait`, as soon as its state differs from `since_state` (default: what it is now)."""
    row = await wait_for_change(task_id, seconds=wait, since=since_state)
    if row is None:
        raise not_found("invocation", task_id)
    invocation = await run_in_threadpool(invocations.described, row)
    headers = {"ETag": etag_of(entity.stable_part(invocation))}
    if not row.state.is_terminal:
        headers["Retry-After"] = str(LOOK_AGAIN_SECONDS)
    if is_known(headers["ETag"], if_none_match):
        return Response(status_code=304, headers=headers)
    return JSONResponse(invocation.model_dump(mode="json"), headers=headers)


@router.post("/{task_id}/abort", status_code=202, summary="Abort an invocation")
def abort(
    task_id: TaskIdInPath, caller: Annotated[Caller, needs(Scope.RUN_ABORT)], body: AbortRequest | None = None
) -> Invocation:
    """A waiting one ends at once; a running dbt is interrupted gracefully; an ended one stays as it is."""
    body = body or AbortRequest()
    by = caller.name_for(body.requested_by)
    return invocations.described(invocations.abort(invocations.get(task_id), body, by=by))


@router.post(
    "/{task_id}/retry",
    status_code=202,
    summary="Retry what an invocation left unfinished",
    responses={200: {"model": Invocation, "description": "It was asked for before."}, **problems(409, 429, 504)},
)
def retry(
    task_id: TaskIdInPath,
    response: Response,
    caller: Annotated[Caller, needs(Scope.RUN_WRITE)],
    body: RetryRequest | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Invocation:
    """A new invocation of what failed, was skipped, was interrupted or never started; 409 with the reason if nothing.

    Works after an abort, a time limit and a kill, too: the set is read from the event log.
    """
    row = invocations.get(task_id)
    caller.enter(row.project)
    caller.check_command(row.command)
    asked = _keyed(body or RetryRequest(), idempotency_key)
    request = asked.model_copy(update={"requested_by": caller.name_for(asked.requested_by)})
    again, is_new = invocations.retry(row, request)
    caller.resource = again.task_id
    return _answer(response, again, is_new)
