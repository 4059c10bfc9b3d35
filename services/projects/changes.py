"""Create, edit, duplicate and pause projects. What the change makes necessary is left to the steps."""

from http import HTTPStatus

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from contracts.names import dag_id_of
from contracts.published_project import PublishedProject
from models.project import Project, Step
from models.types import now
from services.airflow import Airflow
from services.database import session
from services.errors import BackendRejected
from services.projects import store
from services.projects.draft import InvalidDraft, ProjectDraft, checked
from services.projects.locks import changing
from services.projects.publishing import publication_of, publish_pause, published
from services.rights import may_have_run, require_run


def create(draft: ProjectDraft, *, by: str) -> Project:
    """Save a new project; `advance` does the rest. Raises InvalidDraft, also when the name is taken, and NotAllowed."""
    good = checked_new(draft)
    require_run(by, good.operator, good.operator_parameters)
    project = Project(**good.model_dump(), created_by=by)
    try:
        with session() as opened:
            opened.add(project)
            store.first_steps(opened, project, by=by)
    except IntegrityError as error:
        raise _taken(good.name) from error
    return project


def checked_new(draft: ProjectDraft) -> ProjectDraft:
    """A draft that can be created. Raises InvalidDraft with every reason, a name that is taken among them."""
    taken = _taken(draft.name.strip()).problems if _exists(draft.name.strip()) else {}
    try:
        good = checked(draft)
    except InvalidDraft as error:
        raise InvalidDraft({**taken, **error.problems}) from None
    if taken:
        raise InvalidDraft(taken)
    return good


def update(name: str, draft: ProjectDraft, *, by: str) -> Project:
    """Save a changed project, and set back just the steps that the change concerns. Raises InvalidDraft, NotAllowed."""
    store.get_project(name)
    good = checked(draft.model_copy(update={"name": name}))
    with changing(name):
        with session() as opened:
            project = store.row_of(opened, name)
            before = ProjectDraft.of(project)
            if _runs_otherwise(before, good):
                require_run(by, good.operator, good.operator_parameters)
            project.sqlmodel_update({**good.model_dump(exclude={"name"}), "updated_at": now()})
            store.note_saved(opened, project, by=by)
        with session() as opened:
            _set_back(opened, project, before, good)
    return project


def duplicate(name: str, new_name: str, *, by: str) -> Project:
    """Save a copy under another name. A folder or git source is shared, a template is written anew."""
    draft = ProjectDraft.of(store.get_project(name))
    return create(draft.model_copy(update={"name": new_name}), by=by)


def may_resume(project: Project, *, by: str) -> bool:
    """Whether a person may let a project's runs start again: each may have a cluster made for it."""
    return all(may_have_run(by, each.operator, each.operator_parameters) for each in _versions(project))


def set_paused(name: str, paused: bool, *, by: str) -> Project:
    """Pause or resume: Airflow first, then our row and the list that Airflow reads. Raises BackendError, NotAllowed.

    A project that Airflow does not know yet is only marked: the last step sets Airflow's switch by the mark.
    """
    store.get_project(name)
    with changing(name):
        project = store.get_project(name)
        for version in [] if paused else _versions(project):
            require_run(by, version.operator, version.operator_parameters)
        is_published = publication_of(project) is not None
        if is_published:
            _switch(project, paused)
        with session() as opened:
            project = store.row_of(opened, name)
            project.paused, project.updated_at = paused, now()
        if is_published:
            publish_pause(project, paused)
    return project


def _versions(project: Project) -> list[Project | PublishedProject]:
    """The project as it is here, and as Airflow runs it until that is published."""
    version = publication_of(project)
    return [project, version] if version else [project]


def _runs_otherwise(before: ProjectDraft, after: ProjectDraft) -> bool:
    """Whether the change concerns where runs are, or when they start by themselves."""
    parts = ("operator", "operator_parameters", "schedule")
    return any(getattr(before, part) != getattr(after, part) for part in parts)


def _set_back(opened: Session, project: Project, before: ProjectDraft, after: ProjectDraft) -> None:
    if before.source != after.source:
        store.reset_from(opened, project, Step.SOURCE_READY)
    elif before.target != after.target:
        store.reset_from(opened, project, Step.PARSED)
    elif publication_of(project) != published(project):
        store.reset_from(opened, project, Step.PUBLISHED)


def _switch(project: Project, paused: bool) -> None:
    try:
        Airflow.from_settings().set_paused(dag_id_of(project.name), paused)
    except BackendRejected as refusal:
        if refusal.status != HTTPStatus.NOT_FOUND:
            raise


def _exists(name: str) -> bool:
    with session() as opened:
        return opened.exec(select(Project.id).where(Project.name == name)).first() is not None


def _taken(name: str) -> InvalidDraft:
    return InvalidDraft({"name": f"There is a project '{name}' already. Choose another name, or edit that project."})
