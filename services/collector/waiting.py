"""Why runs wait in Airflow: the collector keeps its capacity for the pages, and puts a sentence to each waiting run."""

import logging
import time
from datetime import timedelta

from sqlmodel import Session, col, select

from models.project import Project
from models.run import Run
from models.run_state import RunState
from models.types import now
from services import capacity
from services.airflow import Airflow, Capacity
from services.capacity import Waiting
from services.errors import BackendRejected

_LONG_QUEUED = timedelta(seconds=10)
_HURRIED_SECONDS = 5.0
_IDLE_SECONDS = 15.0

logger = logging.getLogger(__name__)


class CapacityWatch:
    """Asks Airflow for its capacity now and then, and keeps the answer."""

    def __init__(self, airflow: Airflow) -> None:
        self._airflow = airflow
        self._asked_at = -_IDLE_SECONDS
        self._known: Capacity | None = None

    def known(self, *, hurried: bool) -> Capacity | None:
        """What was in use some seconds ago; None where the console may not ask."""
        if time.monotonic() - self._asked_at >= (_HURRIED_SECONDS if hurried else _IDLE_SECONDS):
            self._asked_at = time.monotonic()
            try:
                self._known = self._airflow.capacity()
                capacity.keep(self._known)
            except BackendRejected as refusal:
                logger.warning("Airflow's capacity: %s", refusal.message)
                self._known = None
        return self._known


def why_waiting(opened: Session, run: Run, task_state: str | None, known: Capacity | None) -> str | None:
    """What holds back a run that has not begun; None when nothing that is known does."""
    project = opened.exec(select(Project).where(Project.name == run.project)).one_or_none()
    if run.state is RunState.QUEUED and project and project.paused:
        return f"The project '{run.project}' is paused: resume it to let the run start."
    if known is None:
        return None
    waiting = Waiting(
        run.dag_id,
        "none" if run.state is RunState.QUEUED else task_state,
        pool=project.pool if project else "default_pool",
        queue=project.queue if project else None,
        executor=project.executor if project else None,
        active_runs=_other_active_runs(opened, run),
    )
    reason = capacity.why_waiting(waiting, known)
    is_long = run.state is RunState.QUEUED and now() - run.created_at >= _LONG_QUEUED
    return reason or ("Airflow's scheduler has not come to this run yet." if is_long else None)


def _other_active_runs(opened: Session, run: Run) -> int:
    active = (RunState.STARTING, RunState.RUNNING)
    others = select(Run.id).where(Run.dag_id == run.dag_id, Run.id != run.id, col(Run.state).in_(active))
    return len(opened.exec(others).all())
