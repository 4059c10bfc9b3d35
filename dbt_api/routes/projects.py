"""`/api/v1/projects` and `/api/v1/preview`: make files ready, parse, list, forget; and what a selection means."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from contracts.dbt_api import (
    Commits,
    InvocationState,
    ParsedProject,
    Preview,
    PreviewRequest,
    ProjectName,
    RegisteredProject,
    RegisterProject,
    Rows,
    RowsRequest,
    Scope,
    SyncedProject,
)
from dbt_api import store
from dbt_api.auth.access import needs
from dbt_api.auth.identity import Caller
from dbt_api.errors import ApiError
from dbt_api.openapi import problems
from dbt_api.projects import commits, parse, registry, rows, sources
from dbt_api.projects.locks import changing

router = APIRouter(prefix="/api/v1", tags=["projects"])
COMMIT = r"^[0-9a-f]{7,64}$"
FORM_HINT = "Send the archive as the file of a multipart form."
UPLOAD = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "format": "binary", "description": "A zip or tar.gz of a dbt project."}},
}


@router.put(
    "/projects/{name}",
    summary="Make a project's files ready",
    responses=problems(409, 504),
    dependencies=[needs(Scope.PROJECT_WRITE)],
)
def register(name: ProjectName, body: RegisterProject) -> RegisteredProject:
    """Write the template, check the folder, clone, or find the upload; then install its packages. Safe to repeat."""
    return registry.shown(sources.make_ready(name, body.source, environment=body.environment))


@router.put(
    "/projects/{name}/upload",
    summary="Upload a project's files",
    responses=problems(409, 504),
    dependencies=[needs(Scope.PROJECT_WRITE)],
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": UPLOAD}}}},
)
async def upload(name: ProjectName, request: Request) -> RegisteredProject:
    """Unpack a zip or tar.gz and install its packages; the files before stay until all is well. Safe to repeat.

    The body is read here and not by FastAPI, which would take it in before it looks at the login.
    """
    form = await _form(request)
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise ApiError(422, "file: Field required", hint=FORM_HINT)
        called = "".join(each for each in file.filename or "" if each.isprintable())
        return registry.shown(await run_in_threadpool(sources.take_upload, name, file.file, filename=called))
    finally:
        await form.close()


async def _form(request: Request) -> FormData:
    try:
        return await request.form(max_files=1, max_fields=1)
    except HTTPException as error:
        if error.status_code != 400:
            raise
        raise ApiError(422, f"The form cannot be read: {error.detail}", hint=FORM_HINT) from error


@router.post(
    "/projects/{name}/sync",
    summary="Fetch a project's newest files",
    responses=problems(409, 504),
    dependencies=[needs(Scope.PROJECT_WRITE)],
)
def sync(name: ProjectName) -> SyncedProject:
    """The branch's newest commit, or the folder as it is now; dbt reads it again if it changed. Safe to repeat.

    An invocation that runs keeps the files that it started with.
    """
    before, after = sources.sync(name)
    changed = sources.differ(before, after)
    return SyncedProject(
        project=registry.shown(after),
        old_git_sha=before.git_sha,
        git_sha=after.git_sha,
        changed=changed,
        parsed=parse.parse(after) if changed else None,
    )


@router.get("/projects", summary="List projects")
def page(caller: Annotated[Caller, needs(Scope.RUN_READ)]) -> list[RegisteredProject]:
    """All registered projects by name."""
    return [registry.shown(each) for each in registry.list_projects() if caller.sees(each.name)]


@router.get("/projects/{name}", summary="Read a project", dependencies=[needs(Scope.RUN_READ)])
def read(name: ProjectName) -> RegisteredProject:
    """Where its files are and at which commit."""
    return registry.shown(registry.get_project(name))


@router.get(
    "/projects/{name}/commits",
    summary="List the commits between two",
    responses=problems(504),
    dependencies=[needs(Scope.RUN_READ)],
)
def commits_between(
    name: ProjectName,
    since: Annotated[str, Query(pattern=COMMIT, description="The earlier commit, itself left out.")],
    until: Annotated[str, Query(pattern=COMMIT, description="The later commit.")],
) -> Commits:
    """What changed between two runs, in the words of who changed it. 422 for a project outside of git."""
    return commits.between(registry.get_project(name), since, until)


@router.post(
    "/projects/{name}/parse",
    summary="Let dbt parse a project",
    responses=problems(504),
    dependencies=[needs(Scope.RUN_WRITE)],
)
def parse_project(
    name: ProjectName, target: Annotated[str | None, Query(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")] = None
) -> ParsedProject:
    """Its nodes, targets and problems. A project that doesn't parse is an answer, not an error."""
    return parse.parse(registry.get_project(name), target=target)


@router.delete(
    "/projects/{name}",
    status_code=204,
    summary="Forget a project",
    responses=problems(409),
    dependencies=[needs(Scope.PROJECT_WRITE)],
)
def delete(name: ProjectName) -> Response:
    """Delete the files that the server made. A folder source, the warehouse and the invocations stay."""
    with changing(name):
        registry.get_project(name)
        if any(store.count(state, project=name) for state in (InvocationState.PENDING, InvocationState.STARTED)):
            raise ApiError(409, f"'{name}' has invocations that wait or run.", hint="Abort them or wait for their end.")
        sources.remove_files(name)
        registry.forget_project(name)
    return Response(status_code=204)


@router.post("/preview", summary="Show which nodes a selection means", responses=problems(404, 504))
def preview(body: PreviewRequest, caller: Annotated[Caller, needs(Scope.RUN_WRITE)]) -> Preview:
    """By `dbt ls`, so it is what dbt itself would choose. A wrong selection is an answer too."""
    caller.enter(body.project)
    return parse.preview(registry.get_project(body.project), body)


@router.post("/rows", summary="Show the rows of a test or model", responses=problems(404, 504))
def show_rows(body: RowsRequest, caller: Annotated[Caller, needs(Scope.RUN_WRITE)]) -> Rows:
    """By `dbt show`, so it is dbt's own query, asked again now. One that dbt cannot run is an answer too."""
    caller.enter(body.project)
    return rows.rows(registry.get_project(body.project), body)
