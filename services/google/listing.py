"""Listing the clusters of the configured Google projects into the store, with each project's health."""

from models.system import SystemHealth
from services import health
from services.errors import NotAllowed, PilothouseError
from services.google import store
from services.google.control_plane import ControlPlane, control_plane
from services.google.projects import watched_projects


def system_of_project(project_id: str) -> str:
    """The name under which the health of a Google project is stored."""
    return f"google:{project_id}"


def project_states() -> list[tuple[str, SystemHealth]]:
    """Each configured project with what was last heard of it."""
    return [(each, health.of_system(system_of_project(each))) for each in watched_projects()]


def refresh() -> None:
    """List all projects now. Raises NotAllowed without projects; what goes wrong at Google is each project's state."""
    if not watched_projects():
        raise NotAllowed("No Google project is configured.", hint="Set PILOTHOUSE_GOOGLE_PROJECTS.")
    try:
        with control_plane() as plane:
            list_all(plane)
    except PilothouseError as error:
        note_away(error)


def list_all(plane: ControlPlane) -> set[str]:
    """List every project; what goes wrong with one is not the others' matter. Answers those that could be listed."""
    projects = watched_projects()
    store.forget_projects_but(projects)
    return {project for project in projects if _list(plane, project)}


def _list(plane: ControlPlane, project_id: str) -> bool:
    try:
        listing = plane.clusters(project_id)
    except PilothouseError as error:
        _report(project_id, error)
        return False
    store.keep_listing(project_id, listing)
    unasked = ", ".join(sorted(listing.missing_zones))
    message = f"Google could not ask these zones: {unasked}." if unasked else ""
    health.report(system_of_project(project_id), reachable=True, message=message)
    return True


def note_away(error: PilothouseError) -> None:
    """No project could be asked."""
    for project in watched_projects():
        _report(project, error)


def _report(project_id: str, error: PilothouseError) -> None:
    message = "\n".join(filter(None, [error.message, error.hint]))
    health.report(system_of_project(project_id), reachable=False, message=message)
