"""Registered projects: name, source, folder."""

from pathlib import Path

from sqlmodel import col, select

from contracts.dbt_api import RegisteredProject
from dbt_api.database import session
from dbt_api.errors import ApiError, not_found
from dbt_api.tables import ProjectRow, now


def find_project(name: str) -> ProjectRow | None:
    """The project of a name, if registered."""
    with session() as opened:
        return opened.get(ProjectRow, name)


def get_project(name: str) -> ProjectRow:
    """The project of a name. Raises ApiError 404."""
    row = find_project(name)
    if row is None:
        raise not_found("project", name)
    return row


def list_projects() -> list[ProjectRow]:
    """All projects by name."""
    with session() as opened:
        return list(opened.exec(select(ProjectRow).order_by(col(ProjectRow.name))))


def resolve_project(named: str | None, *, only: str | None = None) -> ProjectRow:
    """The registered project that a client means by its name or its folder; the only one when it names none.

    `only` is the one project that exists for the client, if it is bound to one.
    """
    projects = [each for each in list_projects() if only in (None, each.name)]
    if named is None and len(projects) == 1:
        return projects[0]
    for project in projects:
        if named is not None and (named == project.name or Path(named).resolve() == Path(project.path)):
            return project
    known = ", ".join(each.name for each in projects) or "none yet"
    raise ApiError(422, f"'{named or ''}' is not a registered project.", hint=f"Registered: {known}.")


def save_project(row: ProjectRow) -> ProjectRow:
    """Insert or replace a project."""
    row.updated_at = now()
    with session() as opened:
        return opened.merge(row)


def forget_project(name: str) -> None:
    """Delete the row of a project."""
    with session() as opened:
        row = opened.get(ProjectRow, name)
        if row is not None:
            opened.delete(row)


def shown(row: ProjectRow) -> RegisteredProject:
    """The project as `/api/v1` shows it."""
    return RegisteredProject.model_validate(row, from_attributes=True)
