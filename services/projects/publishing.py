"""What Airflow is told of projects: one list, written whole, of the last version of each that was published.

That version is kept in the detail of the project's step "published": while a project is being edited, or its new
version fails a step, publishing another project must neither drop it from the list nor let the new version slip in.
"""

from typing import Any

from sqlmodel import Session, col, select

from contracts.published_project import PublishedProject
from models.project import Project, ProjectStep, Step
from models.types import now
from services.airflow import Airflow
from services.database import session
from services.projects import store
from services.projects.locks import publishing

PUBLICATION = "publication"
"""Key of the published version in the step's detail."""


def published(project: Project) -> PublishedProject:
    """The project as it would be published now.

    Its schedule holds from the moment it was set, so that Airflow starts no run for a moment before.
    """
    before = publication_of(project)
    kept = before is not None and before.schedule == project.schedule
    return PublishedProject(
        **project.model_dump(include=set(PublishedProject.model_fields) - {"start_date"}),
        start_date=before.start_date if before and kept else now().replace(microsecond=0),
    )


def publication_of(project: Project) -> PublishedProject | None:
    """The version that Airflow was last told, or None."""
    with session() as opened:
        return _publication(store.step_row(opened, project, Step.PUBLISHED))


def publish(project: Project) -> PublishedProject:
    """Tell Airflow of this project, beside all others. Raises BackendError; then the old version stays ours too."""
    with publishing():
        version = published(project)
        _tell(project, version)
    return version


def publish_pause(project: Project, paused: bool) -> None:
    """Tell Airflow of the pause alone: what was edited since the last publication stays unpublished."""
    with publishing():
        version = publication_of(project)
        if version is not None:
            _tell(project, version.model_copy(update={"paused": paused}))


def withdraw(project: Project) -> None:
    """Take the project off Airflow's list. Raises BackendError; repeatable."""
    with publishing():
        _tell(project, None)


def _tell(project: Project, version: PublishedProject | None) -> None:
    others = [each for each in _all_published() if each.name != project.name]
    told = [*others, version] if version else others
    Airflow.from_settings().publish(sorted(told, key=lambda each: each.name))
    _keep(project, version)


def _all_published() -> list[PublishedProject]:
    with session() as opened:
        return [version for row in _rows(opened) if (version := _publication(row))]


def _rows(opened: Session) -> list[ProjectStep]:
    joined = select(ProjectStep).join(Project).where(ProjectStep.step == Step.PUBLISHED)
    return list(opened.exec(joined.order_by(col(Project.name))))


def _publication(row: ProjectStep) -> PublishedProject | None:
    kept = row.detail.get(PUBLICATION)
    return PublishedProject.model_validate(kept) if kept else None


def _keep(project: Project, version: PublishedProject | None) -> None:
    value: Any = version.model_dump(mode="json") if version else None
    with session() as opened:
        row = store.step_row(opened, project, Step.PUBLISHED)
        row.detail = {**row.detail, PUBLICATION: value}
