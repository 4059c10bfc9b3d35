"""The four unversioned routes, as the clients of dbt-labs' dbt-server and of Fast.BI's Airflow operator speak them.

Peculiar to them: 200 where `/api/v1` says 202 and 404, `project_dir` instead of a project's name, absent instead of
null keys, and `log_content`: one client takes an empty or missing log for a failure.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from contracts.dbt_api import (
    AbortRequest,
    Invocation,
    InvocationState,
    Scope,
    ShortText,
    SubmitInvocation,
    TaskId,
    Word,
)
from dbt_api import entity, invocations, store
from dbt_api.auth.access import needs
from dbt_api.auth.identity import Caller
from dbt_api.errors import ApiError
from dbt_api.listing import Listing, rows_of
from dbt_api.openapi import example, problems
from dbt_api.projects.registry import resolve_project
from dbt_api.records.logs import rendered_tail
from dbt_api.records.record import record_of
from dbt_api.routes.parameters import TaskIdInPath
from dbt_api.running.command import option, without_option
from dbt_api.settings import settings
from dbt_api.tables import InvocationRow
from dbt_api.waiting import wait_for_end

SUBMITTED = {"task_id": "stg_x-6f0c", "log_path": None, "state": "PENDING"}
STARTED = {"task_id": "stg_x-6f0c", "state": "STARTED", "project": "shop", "log_path": None}
FAILED = {
    "task_id": "stg_x-6f0c",
    "state": "FAILURE",
    "outcome": "model_error",
    "exit_code": 1,
    "exc_type": "DbtModelError",
    "exc_message": "model.shop.stg_x: column not found",
    "log_content": "12:00:01  Running with dbt=1.12.6\n…",
    "log_path": None,
}
"""Some of the keys of the answers, for the OpenAPI document; an invocation has those of `/api/v1`, too."""
router = APIRouter(prefix="/invocations", tags=["compatible"])


class PostInvocation(BaseModel):
    """Body of POST /invocations."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"command": ["run", "-s", "stg_x"], "task_id": "x-1", "project_dir": "shop"}]}
    )

    command: list[Word] = Field(min_length=1, max_length=20_000, description="dbt's words, without the leading `dbt`.")
    task_id: TaskId | None = Field(default=None, description="The invocation's id and idempotency key; made if absent.")
    project_dir: ShortText | None = Field(default=None, description="Name or folder of a registered project.")
    callback_url: ShortText | None = Field(
        default=None, description="Gets a signed POST at the start and at the end, if the server allows its host."
    )


@router.post("", summary="Submit a dbt command", responses={200: example(SUBMITTED), **problems(409, 429)})
def submit(body: PostInvocation, caller: Annotated[Caller, needs(Scope.RUN_WRITE)]) -> dict[str, Any]:
    """Queue a dbt command; repeating the request changes nothing."""
    in_command = option(body.command, "--project-dir")
    if in_command is not None and body.project_dir is not None:
        raise ApiError(422, "The project is named twice: by project_dir and by --project-dir.")
    project = resolve_project(body.project_dir or in_command, only=caller.only_project)
    words = without_option(body.command, "--project-dir")
    asked = SubmitInvocation(task_id=body.task_id, project=project.name, command=words, callback_url=body.callback_url)
    row, _ = invocations.submit(caller.submission(asked))
    caller.resource = row.task_id
    return {"task_id": row.task_id, "log_path": None, "state": row.state}


@router.get(
    "",
    summary="List invocations, newest first",
    responses={200: example({"invocations": [STARTED], "next_cursor": None})},
)
def page(
    caller: Annotated[Caller, needs(Scope.RUN_READ)],
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    cursor: ShortText | None = None,
) -> dict[str, Any]:
    """One page, without logs."""
    rows, following = rows_of(Listing(limit=limit, cursor=cursor, project=caller.only_project))
    return {"invocations": _entities(rows), "next_cursor": following}


@router.get(
    "/{task_id}",
    summary="Read one invocation",
    responses={200: example(FAILED)},
    dependencies=[needs(Scope.RUN_READ)],
)
async def read(task_id: TaskIdInPath, include: Literal["log_content"] | None = None) -> dict[str, Any]:
    """The invocation. An unfinished one is held back for some seconds: clients poll without a pause."""
    hold = 0 if include else settings().hold_seconds
    row = await wait_for_end(task_id, seconds=hold)
    if row is None:
        return {"task_id": task_id, "state": InvocationState.NOT_FOUND}
    if include or row.state.is_terminal:
        return await run_in_threadpool(_with_log, row)
    return (await run_in_threadpool(_entities, [row]))[0]


@router.post("/{task_id}/abort", summary="Abort an invocation", responses={200: example(STARTED)})
def abort(
    task_id: TaskIdInPath, caller: Annotated[Caller, needs(Scope.RUN_ABORT)], body: AbortRequest | None = None
) -> dict[str, Any]:
    """Stop it; an ended one stays as it is."""
    row = store.find(task_id)
    if row is None:
        return {"task_id": task_id, "state": InvocationState.NOT_FOUND}
    asked = body or AbortRequest()
    return _entities([invocations.abort(row, asked, by=caller.name_for(asked.requested_by))])[0]


def _entities(rows: Sequence[InvocationRow]) -> list[dict[str, Any]]:
    return [_entity(shown) for shown in entity.described(rows)]


def _entity(shown: Invocation) -> dict[str, Any]:
    fields = shown.model_dump(mode="json", exclude={"artifacts"})
    if shown.state is not InvocationState.FAILURE:
        fields = {key: value for key, value in fields.items() if not key.startswith("exc_")}
    return fields | {"log_path": None}


def _with_log(row: InvocationRow) -> dict[str, Any]:
    return _entities([row])[0] | {"log_content": _log_content(row)}


def _log_content(row: InvocationRow) -> str:
    told = rendered_tail(record_of(row))
    return told or row.exc_message or f"dbt has written no log. State: {row.state}."
