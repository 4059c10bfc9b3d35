"""`/api/v1/projects` and `/api/v1/preview`: make files ready, parse, list, forget; and what a selection means."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from contracts.dbt_api import (
    InvocationState,
    ParsedProject,
    Preview,
    PreviewRequest,
    ProjectName,
    RegisteredProject,
    RegisterProject,
)
from dbt_api import store
from dbt_api.errors import ApiError
from dbt_api.openapi import problems
from dbt_api.projects import parse, registry, sources

router = APIRouter(prefix="/api/v1", tags=["projects"])


@router.put("/projects/{name}", summary="Make a project's files ready")
def register(name: ProjectName, body: RegisterProject) -> RegisteredProject:
    """Write the template, check the folder, or clone; then install its packages. Safe to repeat: git gets newer."""
    return registry.shown(sources.make_ready(name, body.source))


@router.get("/projects", summary="List projects")
def page() -> list[RegisteredProject]:
    """All registered projects by name."""
    return [registry.shown(each) for each in registry.list_projects()]


@router.get("/projects/{name}", summary="Read a project")
def read(name: ProjectName) -> RegisteredProject:
    """Where its files are and at which commit."""
    return registry.shown(registry.get_project(name))


@router.post("/projects/{name}/parse", summary="Let dbt parse a project", responses=problems(504))
def parse_project(
    name: ProjectName, target: Annotated[str | None, Query(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$")] = None
) -> ParsedProject:
    """Its nodes, targets and problems. A project that doesn't parse is an answer, not an error."""
    return parse.parse(registry.get_project(name), target=target)


@router.delete("/projects/{name}", status_code=204, summary="Forget a project", responses=problems(409))
def delete(name: ProjectName) -> Response:
    """Delete the files that the server made. A folder source, the warehouse and the invocations stay."""
    registry.get_project(name)
    if any(store.count(state, project=name) for state in (InvocationState.PENDING, InvocationState.STARTED)):
        raise ApiError(409, f"'{name}' has invocations that wait or run.", hint="Abort them or wait for their end.")
    registry.forget_project(name)
    sources.remove_files(name)
    return Response(status_code=204)


@router.post("/preview", summary="Show which nodes a selection means", responses=problems(404, 504))
def preview(body: PreviewRequest) -> Preview:
    """By `dbt ls`, so it is what dbt itself would choose. A wrong selection is an answer too."""
    return parse.preview(registry.get_project(body.project), body)
