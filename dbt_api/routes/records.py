"""What an invocation left: `/api/v1/invocations/{id}/nodes`, `/events`, `/logs`, `/artifacts`."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import PurePosixPath
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse
from sse_starlette import EventSourceResponse, ServerSentEvent

from contracts.dbt_api import Artifact, InvocationNodes, LogLevel, LogQuery, Scope
from dbt_api import invocations
from dbt_api.auth.access import needs
from dbt_api.errors import ApiError
from dbt_api.lifecycle import stopping
from dbt_api.openapi import problems
from dbt_api.records.events import NOTHING_TOLD, Story, last_seq
from dbt_api.records.log_index import index_of
from dbt_api.records.logs import blocks_of_lines, window
from dbt_api.records.nodes import nodes_since
from dbt_api.records.record import Record, record_of
from dbt_api.records.zipping import zipped
from dbt_api.routes.ranges import FINAL, RANGED, Content, answer, attachment
from dbt_api.tables import now

router = APIRouter(prefix="/api/v1/invocations/{task_id}", tags=["invocations"], dependencies=[needs(Scope.RUN_READ)])
LOG_TYPE = "application/x-ndjson"
TEXT_TYPE = "text/plain; charset=utf-8"
LOOK_SECONDS = 0.2
HEARTBEAT_SECONDS = 15
EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": r"^\d+$", "description": "A `seq`; heartbeats have none."},
        "event": {"type": "string", "enum": ["state", "node", "log", "heartbeat"]},
        "data": {"type": "string", "description": "StateEvent; InvocationNode; a line of the log; a time (UTC)."},
    },
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": EVENT}}},
    204: {"description": "Ended, and all of it was told."},
}
LOGS = RANGED | {200: {"content": {kind: {"schema": {"type": "string"}} for kind in (LOG_TYPE, "text/plain")}}}
FILE = RANGED | {200: {"content": {"*/*": {"schema": {}}}}}
ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}
AttemptNumber = Annotated[int | None, Query(ge=0, le=10_000, description="The newest unless told.")]


@router.get("/nodes", summary="Read the nodes")
def nodes(
    task_id: str,
    since_seq: Annotated[int, Query(ge=NOTHING_TOLD, lt=1 << 53, description="`seq` of an earlier answer.")] = -1,
    attempt: AttemptNumber = None,
) -> InvocationNodes:
    """The nodes that dbt has named so far, or those that changed since; also while it runs."""
    return nodes_since(record_of(invocations.get(task_id), attempt), since_seq)


@router.get("/events", summary="Follow the events", response_class=EventSourceResponse, responses=EVENTS)
async def events(
    task_id: str,
    last_event_id: Annotated[str | None, Header(pattern=r"^\d{1,16}$")] = None,
    since_seq: Annotated[int | None, Query(ge=NOTHING_TOLD, lt=1 << 53, description="Like Last-Event-ID.")] = None,
    level: Annotated[LogLevel | None, Query(description="Leave out less important log lines.")] = None,
) -> Response:
    """Server-sent events from the beginning, or from what follows Last-Event-ID, to the terminal state.

    `state` (StateEvent), `node` (InvocationNode), `log` (a line of dbt's as it is), and `heartbeat` every 15 s. Ended
    and all told: 204, which makes a browser stop asking.
    """
    row = await run_in_threadpool(invocations.get, task_id)
    after = int(last_event_id) if last_event_id else NOTHING_TOLD if since_seq is None else since_seq
    if row.state.is_terminal and after >= last_seq(row):
        return Response(status_code=204)
    told = _told(Story(task_id, after=after, level=level))
    return EventSourceResponse(told, ping=HEARTBEAT_SECONDS, ping_message_factory=_heartbeat)


async def _told(story: Story) -> AsyncIterator[bytes]:
    """The story's pieces as they come; reading and folding happen in a thread. Ends when the server does."""
    while not story.over and not stopping.is_set():
        piece = await run_in_threadpool(story.next_piece)
        if piece:
            yield piece
        elif piece is None:
            await asyncio.sleep(LOOK_SECONDS)


def _heartbeat() -> ServerSentEvent:
    return ServerSentEvent(event="heartbeat", data=now().isoformat(), sep="\n")


@router.get("/logs", summary="Read dbt's log", response_class=Response, responses=LOGS)
def logs(task_id: str, query: Annotated[LogQuery, Query()], request: Request) -> Response:
    """dbt's JSON lines byte for byte, by `Range` if you like; or some of its lines. Also while it runs.

    `X-Log-Complete` tells whether more may come, `X-Next-Offset` the `offset` of the lines that follow these.
    """
    record = record_of(invocations.get(task_id), query.attempt)
    headers = {"X-Log-Complete": str(record.complete).lower()}
    if query.download:
        headers |= attachment(f"{task_id}.{'log' if query.format == 'text' else 'jsonl'}")
    if query.means_lines:
        return _lines(record, query, headers)
    size = record.log_size
    final = hashlib.sha256(f"{record.identity} {size}".encode()).hexdigest() if record.complete else None
    return answer(request, Content(size, record.log, LOG_TYPE, final and f'"{final}"', headers))


def _lines(record: Record, query: LogQuery, headers: dict[str, str]) -> Response:
    kind = TEXT_TYPE if query.format == "text" else LOG_TYPE
    if query.download:
        return StreamingResponse(blocks_of_lines(record, query), 200, headers, media_type=kind)
    chosen = window(record, query)
    headers |= {"X-Next-Offset": str(chosen.next_offset), "X-Log-Lines": str(index_of(record).lines(record))}
    return Response(b"".join(chosen.lines), 200, headers, media_type=kind)


@router.get("/artifacts", summary="List the artifacts", responses=problems(409))
def artifacts(task_id: str, attempt: AttemptNumber = None) -> list[Artifact]:
    """What dbt left, with checksums, and its log. 409 while it runs."""
    return _complete(task_id, attempt).artifacts(checksums=True)


@router.get(
    "/artifacts.zip", summary="Read all artifacts", response_class=StreamingResponse, responses=ZIP | problems(409)
)
def artifacts_zip(task_id: str, attempt: AttemptNumber = None) -> StreamingResponse:
    """All of them in one zip file, made while it is sent. 409 while dbt runs."""
    body = zipped(_complete(task_id, attempt))
    headers = attachment(f"{task_id}.zip") | {"Cache-Control": FINAL}
    return StreamingResponse(body, 200, headers, media_type="application/zip")


@router.get(
    "/artifacts/{name:path}", summary="Read an artifact", response_class=Response, responses=FILE | problems(409)
)
def artifact(task_id: str, name: str, request: Request, attempt: AttemptNumber = None) -> Response:
    """One artifact by its name in the list: run_results.json, compiled/….sql, log.jsonl, … 409 while dbt runs."""
    record = _complete(task_id, attempt)
    found = record.artifact(name)
    read = partial(record.read_artifact, name)
    headers = attachment(PurePosixPath(name).name)
    return answer(request, Content(found.bytes, read, str(found.media_type), f'"{found.sha256}"', headers))


def _complete(task_id: str, attempt: int | None) -> Record:
    record = record_of(invocations.get(task_id), attempt)
    if not record.complete:
        raise ApiError(409, "The invocation has not ended, so its artifacts are not complete.")
    return record
