"""What can be asked of Google before a project is published on it: who we are, what we may, and the cluster itself."""

from collections.abc import Iterator
from typing import Any

from contracts.gke.names import ClusterAddress
from services.errors import BackendRejected, PilothouseError
from services.google.control_plane import ControlPlane, control_plane
from services.google.credentials import fresh_token, whose
from services.google.refusals import told
from services.google.store import READY
from services.operators.base import Check

_SECONDS = 20
_USING = ("container.clusters.list", "container.clusters.get", "container.clusters.getCredentials")
_MAKING = ("container.clusters.create", "container.clusters.delete")
_ROLES = (
    "roles/container.viewer and roles/container.developer to use clusters, roles/container.clusterAdmin to make them"
)


def google_checks(project_id: str, address: ClusterAddress | None, *, makes_clusters: bool) -> list[Check]:
    """Credentials, API, rights, and the cluster if one is named. What can't be asked is a failed check."""
    try:
        with control_plane() as plane:
            return list(_all(plane, project_id, address, makes_clusters))
    except PilothouseError as error:
        return [Check("Google credentials", False, error.message, error.hint)]


def _all(plane: ControlPlane, project_id: str, address: ClusterAddress | None, makes: bool) -> Iterator[Check]:
    fresh_token(plane.credentials)
    yield Check("Google credentials", True, f"The console acts as {whose(plane.credentials)}.")
    api = _api(plane, project_id)
    yield api
    if not api.passed:
        return
    yield from _rights(plane.credentials, project_id, makes)
    if address:
        yield _cluster(plane, address)


def _api(plane: ControlPlane, project_id: str) -> Check:
    try:
        found = len(plane.clusters(project_id).clusters)
    except PilothouseError as error:
        return Check("Kubernetes Engine API", False, error.message, error.hint)
    return Check("Kubernetes Engine API", True, f"It is enabled in {project_id}; clusters there: {found}.")


def _rights(signed_in: Any, project_id: str, makes: bool) -> Iterator[Check]:
    wanted = [*_USING, *(_MAKING if makes else ())]
    try:
        held = _permissions(signed_in, project_id, wanted)
    except PilothouseError as error:
        yield Check("Rights in Google", None, f"They can't be asked for from here: {error.message}", error.hint)
        return
    missing = [each for each in wanted if each not in held]
    if missing:
        message = f"The console's account may not {', '.join(missing)} in {project_id}."
        yield Check("Rights in Google", False, message, f"Give it {_ROLES}.")
    else:
        may = "list, read, sign in to, create and delete" if makes else "list, read and sign in to"
        yield Check("Rights in Google", True, f"The console's account may {may} clusters of {project_id}.")


def _permissions(signed_in: Any, project_id: str, wanted: list[str]) -> list[str]:
    """Those of the wanted permissions that the account has (Resource Manager's testIamPermissions)."""
    from google.auth.transport.requests import AuthorizedSession

    url = f"https://cloudresourcemanager.googleapis.com/v1/projects/{project_id}:testIamPermissions"
    try:
        with AuthorizedSession(signed_in) as asking:  # type: ignore[no-untyped-call]
            answer = asking.post(url, json={"permissions": wanted}, timeout=_SECONDS)
        body = answer.json()
    except Exception as error:
        raise told(error, "tell what the console's account may do") from error
    if answer.status_code != 200:
        words = str(body.get("error", {}).get("message") or f"HTTP {answer.status_code}")
        raise BackendRejected(words, system="google", status=answer.status_code, detail=words)
    return list(body.get("permissions") or [])


def _cluster(plane: ControlPlane, address: ClusterAddress) -> Check:
    title = "Cluster in Google"
    try:
        found = plane.cluster(address)
    except PilothouseError as error:
        return Check(
            title, False, error.message, error.hint or "Choose one that exists, or create it on the page Clusters."
        )
    status = str(found.status.name)
    if status not in READY:
        words = f"{address.name} is {status}. {found.status_message}".strip()
        return Check(title, False, words, "Wait until it runs, or look at it on the page Clusters.")
    return Check(title, True, f"{address.name} is {status}, version {found.current_master_version}.")
