"""Follows what Google does: operations to their end, the list of clusters, and the end of those whose time is over.

Nothing of it lives in memory: what Google was asked is in the database, so a killed collector goes on from there.
"""

import logging
import time

from contracts.operators import OperatorName
from models.google import GoogleOperation
from services import health
from services.collector import store as runs
from services.collector.swept import note_swept_runs
from services.errors import BackendRejected, PilothouseError
from services.google import listing, store, sweep
from services.google.control_plane import ControlPlane
from services.google.operations import follow
from services.google.projects import watched_projects
from services.settings import settings

_IDLE_SECONDS = 2.0
_BUSY_SECONDS = 5.0
"""How often Google is asked while it works for us, or a run waits for a cluster there."""

logger = logging.getLogger(__name__)


class GoogleSide:
    """The collector's loop over the configured Google projects; it does nothing without any."""

    system = health.GOOGLE

    def __init__(self) -> None:
        self._plane: ControlPlane | None = None
        self._asked = -float("inf")

    def check_health(self) -> None:
        """Each project has a health of its own, which the listing tells."""

    def tick(self) -> float:
        """Ask about open operations and list the clusters, each when it is due."""
        pause = settings().google_interval_seconds
        if self._is_busy():
            pause = min(_BUSY_SECONDS, pause)
        if time.monotonic() - self._asked >= pause:
            if watched_projects():
                self._ask()
            self._asked = time.monotonic()
        return min(_IDLE_SECONDS, pause)

    def _is_busy(self) -> bool:
        return bool(store.open_operations()) or any(run.operator is OperatorName.GKE for run in runs.open_runs())

    def _ask(self) -> None:
        try:
            self._plane = self._plane or ControlPlane()
            for operation in store.open_operations():
                self._follow(self._plane, operation)
        except PilothouseError as error:
            logger.warning("Google: %s", error.message)
            listing.note_away(error)
            self._drop()
            return
        answered = listing.list_all(self._plane)
        sweep.sweep(self._plane, answered)
        note_swept_runs()
        if answered != {*watched_projects()}:
            self._drop()

    def _follow(self, plane: ControlPlane, operation: GoogleOperation) -> None:
        """Follow one; what Google refuses about it is not the others' matter."""
        try:
            follow(plane, operation)
        except BackendRejected as error:
            store.note_trouble(operation, error)

    def _drop(self) -> None:
        """Connect anew the next time: credentials or the way to Google may have changed."""
        if self._plane:
            self._plane.close()
        self._plane = None
