"""Clusters that were made for one run and should be gone: past their time to live, or left over by a run that is over.

Airflow deletes them itself after the run's tasks; this is for when it never got there.
"""

import logging
from collections.abc import Collection, Iterable
from datetime import timedelta

from contracts.gke.names import RUN_LABEL
from models.google import GoogleCluster, OperationKind
from models.types import now
from services.errors import PilothouseError
from services.google import store
from services.google.control_plane import ControlPlane
from services.google.operations import is_being_deleted, sweep_away
from services.google.runs import run_of

_TEARDOWN_TAKES = timedelta(minutes=15)
"""How long after a run's end Airflow's own teardown is waited for."""
_TRY_AGAIN = timedelta(seconds=60)
_GOING = "STOPPING"

logger = logging.getLogger(__name__)


def sweep(plane: ControlPlane, projects: Collection[str]) -> None:
    """Ask for the end of every cluster of these Google projects that should be gone.

    What is refused is tried again a minute later.
    """
    for cluster in overdue(each for each in store.clusters() if each.project_id in projects):
        last = store.last_operation(cluster.address, OperationKind.DELETE)
        if is_being_deleted(cluster.address) or store.failed_lately(last, _TRY_AGAIN):
            continue
        logger.warning("Deleting cluster %s: its time is over.", cluster.address.path)
        try:
            sweep_away(plane, cluster.address)
        except PilothouseError as error:
            logger.warning("Cluster %s: %s", cluster.address.path, error.message)


def overdue(clusters: Iterable[GoogleCluster]) -> list[GoogleCluster]:
    """Those that were made for a run and should be gone by now."""
    of_runs = [each for each in clusters if each.expires_at and RUN_LABEL in each.labels and each.status != _GOING]
    return [each for each in of_runs if (each.expires_at and each.expires_at <= now()) or _is_left_over(each)]


def _is_left_over(cluster: GoogleCluster) -> bool:
    run = run_of(cluster)
    if run is None or not run.state.is_terminal or run.finished_at is None:
        return False
    return now() - run.finished_at > _TEARDOWN_TAKES
