"""`/api/v1/projects/{name}/docs/` and `/state/`: dbt's documentation site, and the manifests that `--defer` needs."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from fastapi.responses import FileResponse, HTMLResponse

from contracts.dbt_api import ProjectName, Scope
from dbt_api.auth.access import needs
from dbt_api.projects import docs, manifests
from dbt_api.projects.registry import get_project
from dbt_api.routes.models import Target

router = APIRouter(prefix="/api/v1/projects/{name}", tags=["docs"], dependencies=[needs(Scope.RUN_READ)])
HEADERS = {"Content-Security-Policy": f"{docs.POLICY}; {docs.SANDBOX}", "X-Content-Type-Options": "nosniff"}
JSON = "application/json"


@router.get("/docs/", summary="Read a project's documentation", response_class=HTMLResponse)
def site(name: ProjectName, target: Target = None) -> HTMLResponse:
    """dbt's own site with the newest good manifest and catalog in it: one page that needs nothing else."""
    return HTMLResponse(docs.site(get_project(name).name, target), headers=HEADERS)


@router.get(
    "/docs/{file}",
    summary="Read a file of a project's documentation",
    responses={200: {"content": {"application/json": {}, "text/html": {}}}},
)
def file(
    name: ProjectName, file: Literal["index.html", "page.html", "manifest.json", "catalog.json"], target: Target = None
) -> Response:
    """One of the files that the site is made of, there are no others; `page.html` is dbt's page without any data."""
    project = get_project(name).name
    if file == "page.html":
        return HTMLResponse(docs.page(), headers=HEADERS)
    if file == "index.html":
        return site(name, target)
    if file == "catalog.json":
        return Response(docs.catalog(project, target), media_type=JSON)
    return FileResponse(manifests.get_newest(project, target).manifest, media_type=JSON)


@router.get("/state/{env}/manifest.json", summary="Read a target's newest good manifest", response_class=FileResponse)
def state(
    name: ProjectName, env: Annotated[str, Path(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", description="A target.")]
) -> FileResponse:
    """For `dbt --defer --state` elsewhere; invocations here say `defer_to` instead."""
    return FileResponse(manifests.get_newest(get_project(name).name, env).manifest, media_type=JSON)
