"""`/api/v1/invocations`: submit, watch, abort, read logs and artifacts."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import FileResponse, StreamingResponse

from contracts.dbt_api import AbortRequest, Invocation, InvocationPage, InvocationState, Scope, SubmitInvocation
from dbt_api import invocations, store
from dbt_api.auth.access import needs
from dbt_api.auth.identity import Caller
from dbt_api.errors import ApiError, not_found
from dbt_api.records.logs import read_range, requested_range
from dbt_api.waiting import wait_for_change

router = APIRouter(prefix="/api/v1/invocations", tags=["invocations"])
LOG_TYPE = "application/x-ndjson"


@router.post("", status_code=202, summary="Submit a dbt command")
def submit(body: SubmitInvocation, response: Response, caller: Annotated[Caller, needs(Scope.RUN_WRITE)]) -> Invocation:
    """Queue a dbt command. The same task_id and body again is the same invocation (200); another body is 409."""
    row, is_new = invocations.submit(caller.submission(body))
    caller.resource = row.task_id
    response.headers["Location"] = f"/api/v1/invocations/{row.task_id}"
    if not is_new:
        response.status_code = 200
        response.headers["Idempotent-Replay"] = "true"
    return invocations.described(row)


@router.get("", summary="List invocations, newest first")
def page(
    caller: Annotated[Caller, needs(Scope.RUN_READ)],
    state: InvocationState | None = None,
    project: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    cursor: Annotated[str | None, Query(pattern=r"^\d{1,18}$", description="next_cursor of the page before.")] = None,
) -> InvocationPage:
    """One page, without artifacts."""
    before = int(cursor) if cursor else None
    rows = store.page(limit=limit + 1, before=before, state=state, project=caller.narrowed(project))
    return InvocationPage(
        invocations=[store.shown(row, log=invocations.log_size(row)) for row in rows[:limit]],
        next_cursor=str(rows[limit - 1].id) if len(rows) > limit else None,
    )


@router.get("/{task_id}", summary="Read one invocation, or wait for its change", dependencies=[needs(Scope.RUN_READ)])
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


@router.post("/{task_id}/abort", status_code=202, summary="Abort an invocation", dependencies=[needs(Scope.RUN_ABORT)])
def abort(task_id: str, body: AbortRequest | None = None) -> Invocation:
    """A waiting one ends at once; a running dbt is interrupted gracefully; an ended one stays as it is."""
    row = invocations.get(task_id)
    return invocations.described(invocations.abort(row, reason=body.reason if body else None))


@router.get(
    "/{task_id}/logs",
    summary="Read dbt's log",
    response_class=StreamingResponse,
    dependencies=[needs(Scope.RUN_READ)],
)
def logs(task_id: str, range: Annotated[str | None, Header()] = None) -> StreamingResponse:
    """dbt's JSON lines as they are, also while it runs; by `Range` (206; 416 at the end)."""
    row = invocations.get(task_id)
    size = invocations.log_size(row)
    headers = {"Accept-Ranges": "bytes", "X-Log-Complete": str(size.complete).lower()}
    wanted = requested_range(range, size.bytes)
    if wanted is None:
        headers["Content-Range"] = f"bytes */{size.bytes}"
        return StreamingResponse(iter(()), 416, headers, media_type=LOG_TYPE)
    headers["Content-Length"] = str(wanted.end - wanted.start)
    if range is not None:
        headers["Content-Range"] = f"bytes {wanted.start}-{wanted.end - 1}/{size.bytes}"
    status = 206 if range is not None else 200
    return StreamingResponse(read_range(invocations.log_path(row), wanted), status, headers, media_type=LOG_TYPE)


@router.get(
    "/{task_id}/artifacts/{name:path}",
    summary="Read an artifact",
    response_class=FileResponse,
    dependencies=[needs(Scope.RUN_READ)],
)
def artifact(task_id: str, name: str) -> FileResponse:
    """One file that dbt left, by the name that the invocation lists: run_results.json, compiled/….sql, …"""
    row = invocations.get(task_id)
    if not row.state.is_terminal:
        raise ApiError(409, "The invocation has not ended, so its artifacts are not complete.")
    return FileResponse(invocations.artifact_path(row, name), content_disposition_type="attachment")
