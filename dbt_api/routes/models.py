"""`/api/v1/projects/{name}/models` and `/lineage`: what the newest manifest tells, what became of each node."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from contracts.dbt_api import Lineage, ModelDetail, ModelPage, NodeHistory, NodeType, ProjectName, Scope
from dbt_api.auth.access import needs
from dbt_api.projects import models
from dbt_api.projects.registry import get_project

router = APIRouter(prefix="/api/v1/projects/{name}", tags=["models"], dependencies=[needs(Scope.RUN_READ)])
Target = Annotated[
    str | None, Query(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", description="Whose manifest; the newest of all if unset.")
]
UniqueId = Annotated[str, Path(max_length=500, pattern=r"^[^\x00]+$", description="As dbt names the node.")]
Depth = Annotated[int, Query(ge=0, le=1000, description="How many steps from the selected node.")]


@router.get("/models", summary="List a project's models")
def page(
    name: ProjectName,
    q: Annotated[str, Query(max_length=200, description="Within name, description, file or tags.")] = "",
    tag: Annotated[str | None, Query(max_length=200, description="Only nodes that carry exactly this tag.")] = None,
    type: Annotated[
        list[NodeType] | None, Query(description="Kinds of nodes, several allowed; models if unset.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    cursor: Annotated[str | None, Query(max_length=500, description="next_cursor of the page before.")] = None,
    target: Target = None,
) -> ModelPage:
    """From the newest good manifest, each with its last result. 404 until dbt has read the project once."""
    project = get_project(name).name
    types = type or [NodeType.MODEL]
    return models.page(project, target=target, text=q, tag=tag, types=types, limit=limit, after=cursor)


@router.get("/models/{unique_id}", summary="Read one model")
def read(name: ProjectName, unique_id: UniqueId, target: Target = None) -> ModelDetail:
    """Any node: description, columns, SQL as written and compiled, what it reads and who reads it, tests, config."""
    return models.detail(get_project(name).name, unique_id, target=target)


@router.get("/models/{unique_id}/history", summary="Read a model's results")
def history(
    name: ProjectName,
    unique_id: UniqueId,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(pattern=r"^\d{1,18}$", description="next_cursor of the page before.")] = None,
    target: Target = None,
) -> NodeHistory:
    """What became of it in the invocations so far, newest first; of those for `target` only, if named."""
    before = int(cursor) if cursor else None
    return models.node_history(get_project(name).name, unique_id, limit=limit, before=before, target=target)


@router.get("/lineage", summary="Read a project's graph")
def lineage(
    name: ProjectName,
    select: Annotated[str | None, Query(max_length=500, description="A unique_id or name; all if unset.")] = None,
    upstream: Depth = 1000,
    downstream: Depth = 1000,
    target: Target = None,
) -> Lineage:
    """Nodes and edges, tests apart: the whole project, or what lies around one node."""
    project = get_project(name).name
    return models.lineage(project, select=select, upstream=upstream, downstream=downstream, target=target)
