"""Asking Google for a cluster or for its end, and following what it does about it.

What is asked is noted before it is sent. Whoever is killed in between, the collector finds out at Google how it stands.
"""

from datetime import timedelta

from contracts.gke.clusters import ClusterSpec
from contracts.gke.names import ClusterAddress
from contracts.gke.request import cluster_request
from models.google import GoogleOperation, OperationKind, OperationState
from models.types import now
from services.errors import BackendTimeout, BackendUnreachable, InvalidInput, NotFound, PilothouseError
from services.google import store
from services.google.control_plane import ControlPlane, control_plane
from services.google.draft import refuse_conflicts
from services.google.news import OperationNews
from services.rights import require_change_of_clusters

_ANSWER_COMES_WITHIN = timedelta(seconds=45)
"""Who asked may still wait for Google's answer until then."""
_CLOCKS_DIFFER = timedelta(minutes=5)


def create(spec: ClusterSpec, *, by: str) -> GoogleOperation:
    """Ask for a cluster. Raises InvalidInput, NotAllowed, and as ControlPlane does.

    When Google gives no answer in time, the operation stays open, and the collector finds out what came of it.
    """
    require_change_of_clusters(by)
    refuse_conflicts(spec)
    address, body = ClusterAddress(spec.project_id, spec.location, spec.name), cluster_request(spec)
    operation = store.begin(OperationKind.CREATE, address, by=by, request=body)
    try:
        with control_plane() as plane:
            return store.note(operation, plane.create(spec.project_id, spec.location, body))
    except PilothouseError as error:
        return _unanswered(operation, error)


def delete(address: ClusterAddress, *, typed: str, by: str) -> GoogleOperation:
    """Ask for a cluster's end, for a person who typed its name. Raises InvalidInput, and as `create`."""
    require_change_of_clusters(by)
    if typed.strip() != address.name:
        raise InvalidInput(f"Type the cluster's name, {address.name}, to delete it.", field="typed")
    operation = store.begin(OperationKind.DELETE, address, by=by)
    try:
        with control_plane() as plane:
            return store.note(operation, plane.delete(address))
    except PilothouseError as error:
        return _unanswered(operation, error)


def sweep_away(plane: ControlPlane, address: ClusterAddress) -> None:
    """Ask for the end of a cluster whose time is over. Raises as ControlPlane does; the store has noted it then."""
    operation = store.begin(OperationKind.DELETE, address, by=store.SWEEPER)
    try:
        store.note(operation, plane.delete(address))
    except NotFound:
        store.note_done(operation, "It was gone already.")
    except PilothouseError as error:
        _unanswered(operation, error)


def _unanswered(operation: GoogleOperation, error: PilothouseError) -> GoogleOperation:
    """Note a refusal and pass it on; where Google may have taken the order, leave it open."""
    if isinstance(error, BackendTimeout):
        return operation
    store.note_failure(operation, error)
    raise error


def follow(plane: ControlPlane, operation: GoogleOperation) -> bool:
    """Ask how an open operation stands; whether it is over now. Raises as ControlPlane does."""
    if operation.google_name is None:
        return _found_again(plane, operation)
    try:
        news = plane.operation(operation.project_id, operation.location, operation.google_name)
    except NotFound:
        return _forgotten(plane, operation)
    return store.note(operation, news).state.is_over


def _found_again(plane: ControlPlane, operation: GoogleOperation) -> bool:
    """Whoever asked was ended before the answer, or the answer got lost: look for the operation at Google."""
    if now() - operation.asked_at < _ANSWER_COMES_WITHIN:
        return False
    for news in plane.operations(operation.project_id, operation.location):
        if _is_it(news, operation):
            return store.note(operation, news).state.is_over
    told = "Google did not get it: the console was ended, or the connection broke, before it was sent."
    store.note_failure(operation, BackendUnreachable(told, system="google", hint="Ask again."))
    return True


def _is_it(news: OperationNews, operation: GoogleOperation) -> bool:
    is_about_it = news.kind is operation.kind and news.target.endswith(f"/clusters/{operation.cluster}")
    return is_about_it and (news.started_at is None or news.started_at > operation.asked_at - _CLOCKS_DIFFER)


def _forgotten(plane: ControlPlane, operation: GoogleOperation) -> bool:
    """Google has forgotten the operation; the cluster itself tells what came of it."""
    try:
        status = str(plane.cluster(operation.address).status.name)
    except NotFound:
        status = "gone"
    wanted = "gone" if operation.kind is OperationKind.DELETE else "RUNNING"
    if status == wanted:
        store.note_done(operation, "Google has forgotten the operation; the cluster is as it should be.")
    else:
        told = f"Google has forgotten the operation; the cluster is {status}."
        store.note_failure(operation, BackendUnreachable(told, system="google"))
    return True


def is_being_deleted(address: ClusterAddress) -> bool:
    """Whether its end was asked for and is not over."""
    last = store.last_operation(address, OperationKind.DELETE)
    return last is not None and last.state in (OperationState.ASKED, OperationState.RUNNING)
