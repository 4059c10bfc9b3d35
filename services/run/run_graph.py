"""What depends on what among a run's nodes: by the manifest that the run left, else by the project as last parsed."""

from sqlmodel import select

from models.project import Project, ProjectNode
from models.run import Invocation, Run
from services.database import session
from services.run.manifests import manifest_of

Graph = dict[str, list[str]]


def graph_of(run: Run, invocation_id: int) -> Graph:
    """The parents of each node; empty for a project that is gone and left no manifest."""
    with session() as opened:
        invocation = opened.get(Invocation, invocation_id)
        manifest = manifest_of(invocation) if invocation else None
        if manifest:
            return manifest.depends_on
        columns = select(ProjectNode.unique_id, ProjectNode.depends_on).join(Project)
        rows = opened.exec(columns.where(Project.name == run.project))
        return {unique_id: list(above) for unique_id, above in rows}
