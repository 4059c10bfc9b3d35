"""Google's clusters and operations in the console's database: what pages read and what the collector goes on with."""

from datetime import timedelta
from typing import Any

from sqlmodel import Session, col, select

from contracts.gke.names import ClusterAddress, region_of
from models.google import GoogleCluster, GoogleOperation, OperationKind, OperationState
from models.system import SystemHealth
from models.types import now
from services.clusters.store import system_of
from services.database import session
from services.errors import NotAllowed, PilothouseError
from services.google.control_plane import Listing
from services.google.news import OperationNews

READY = ("RUNNING", "RECONCILING", "DEGRADED")
"""Google's words for a cluster whose Kubernetes API can be asked."""
_OPEN = (OperationState.ASKED, OperationState.RUNNING)
_ROW_KEY = ("id", "project_id", "location", "name")


def clusters() -> list[GoogleCluster]:
    """All known clusters: those that were made for runs first, then by name."""
    with session() as opened:
        found = opened.exec(select(GoogleCluster).order_by(col(GoogleCluster.project_id), col(GoogleCluster.name)))
        return sorted(found, key=lambda each: each.expires_at is None)


def cluster_at(address: ClusterAddress) -> GoogleCluster | None:
    """One known cluster, or None."""
    with session() as opened:
        return _row(opened, address)


def ready_paths() -> list[str]:
    """The clusters whose Kubernetes API can be asked, by Google's word."""
    with session() as opened:
        return [each.address.path for each in opened.exec(select(GoogleCluster)) if each.status in READY]


def _row(opened: Session, address: ClusterAddress) -> GoogleCluster | None:
    here = select(GoogleCluster).where(
        GoogleCluster.project_id == address.project_id,
        GoogleCluster.location == address.location,
        GoogleCluster.name == address.name,
    )
    return opened.exec(here).one_or_none()


def keep_listing(project_id: str, listing: Listing) -> None:
    """Take in all clusters of a project, and drop those that are not there any more."""
    with session() as opened:
        for told in listing.clusters:
            _keep(opened, told)
        listed = {each.address for each in listing.clusters}
        for row in opened.exec(select(GoogleCluster).where(GoogleCluster.project_id == project_id)):
            if row.address not in listed and not _may_be_missing(row, listing):
                opened.delete(row)
                if health := opened.get(SystemHealth, system_of(row.address.path)):
                    opened.delete(health)


def _keep(opened: Session, told: GoogleCluster) -> None:
    row = _row(opened, told.address) or GoogleCluster(
        project_id=told.project_id, location=told.location, name=told.name, status=told.status
    )
    row.sqlmodel_update(told.model_dump(exclude={*_ROW_KEY}))
    opened.add(row)


def _may_be_missing(row: GoogleCluster, listing: Listing) -> bool:
    """Whether Google could not ask the zone, or a zone of the region, that it lives in."""
    return any(row.location in (zone, region_of(zone)) for zone in listing.missing_zones)


def forget_projects_but(projects: tuple[str, ...]) -> None:
    """Drop what is known of projects that are not configured any more."""
    with session() as opened:
        for row in opened.exec(select(GoogleCluster).where(col(GoogleCluster.project_id).not_in(projects))):
            opened.delete(row)


def open_operations() -> list[GoogleOperation]:
    """Operations that are not over, oldest first."""
    with session() as opened:
        here = select(GoogleOperation).where(col(GoogleOperation.state).in_(_OPEN)).order_by(col(GoogleOperation.id))
        return list(opened.exec(here))


def recent_operations(*, most: int = 50) -> list[GoogleOperation]:
    """The newest operations, newest first."""
    with session() as opened:
        return list(opened.exec(select(GoogleOperation).order_by(col(GoogleOperation.id).desc()).limit(most)))


def last_operation(address: ClusterAddress, kind: OperationKind) -> GoogleOperation | None:
    """The newest operation of this kind about a cluster."""
    with session() as opened:
        here = select(GoogleOperation).where(*_about(address), GoogleOperation.kind == kind)
        return opened.exec(here.order_by(col(GoogleOperation.id).desc())).first()


def _about(address: ClusterAddress) -> tuple[Any, ...]:
    return (
        GoogleOperation.project_id == address.project_id,
        GoogleOperation.location == address.location,
        GoogleOperation.cluster == address.name,
    )


def begin(
    kind: OperationKind, address: ClusterAddress, *, by: str, request: dict[str, Any] | None = None
) -> GoogleOperation:
    """Note what Google is about to be asked. Raises NotAllowed while something else is done with the cluster.

    The collector's own failed attempt is taken up again: one row, however often it tries.
    """
    with session() as opened:
        here = select(GoogleOperation).where(*_about(address)).order_by(col(GoogleOperation.id).desc())
        last = opened.exec(here).first()
        if last and not last.state.is_over:
            told = f"{address.name} is being {_BEING[last.kind]} already, asked for by {last.asked_by}."
            raise NotAllowed(told, hint="Wait for its end. Only a running collector hears of it.")
        is_again = last and (last.kind, last.asked_by, last.state) == (kind, SWEEPER, OperationState.FAILED)
        row = last if last and is_again and by == SWEEPER else GoogleOperation(
            project_id=address.project_id, location=address.location, cluster=address.name, kind=kind, asked_by=by
        )  # fmt: skip
        row.sqlmodel_update({"state": OperationState.ASKED, "asked_at": now(), "request": request or {}})
        row.sqlmodel_update({"google_name": None, "message": "", "hint": None, "finished_at": None})
        opened.add(row)
    return row


SWEEPER = "the collector"
"""Who asks when nobody did."""
_BEING = {OperationKind.CREATE: "created", OperationKind.DELETE: "deleted"}


def note(operation: GoogleOperation, news: OperationNews) -> GoogleOperation:
    """Take in how Google says it stands."""
    with session() as opened:
        row = opened.get_one(GoogleOperation, operation.id)
        row.google_name, row.checked_at = news.name, now()
        row.stages, row.message, row.hint = news.stages or row.stages, news.error or news.message, news.hint
        row.state = OperationState.RUNNING
        if news.is_over:
            row.state = OperationState.FAILED if news.error else OperationState.DONE
            row.finished_at = now()
        opened.add(row)
    return row


def note_failure(operation: GoogleOperation, error: PilothouseError) -> None:
    """It came to nothing: Google refused, or never got it."""
    with session() as opened:
        row = opened.get_one(GoogleOperation, operation.id)
        row.state, row.message, row.hint = OperationState.FAILED, error.message, error.hint
        row.finished_at = row.checked_at = now()
        opened.add(row)


def note_trouble(operation: GoogleOperation, error: PilothouseError) -> None:
    """Google does not tell how it stands; it goes on all the same."""
    with session() as opened:
        row = opened.get_one(GoogleOperation, operation.id)
        row.message, row.hint, row.checked_at = error.message, error.hint, now()
        opened.add(row)


def note_done(operation: GoogleOperation, message: str) -> None:
    """It is done, though Google did not say so of the operation itself."""
    with session() as opened:
        row = opened.get_one(GoogleOperation, operation.id)
        row.state, row.message = OperationState.DONE, message
        row.finished_at = row.checked_at = now()
        opened.add(row)


def failed_lately(operation: GoogleOperation | None, within: timedelta) -> bool:
    """Whether an attempt failed so shortly ago that the next one should wait."""
    if operation is None or operation.state is not OperationState.FAILED or operation.finished_at is None:
        return False
    return now() - operation.finished_at < within
