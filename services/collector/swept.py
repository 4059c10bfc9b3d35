"""Runs whose cluster the collector deleted because its time was over: what that means for them.

dbt ends with its cluster. How the run ended Airflow tells; while Airflow is away nobody will, so we do.
"""

from sqlmodel import Session

from models.google import GoogleOperation, OperationKind, OperationState
from models.run import Run
from models.run_state import RunState
from models.types import now
from services import health
from services.collector import store
from services.collector.run_cluster import makes_cluster
from services.google.runs import run_address
from services.google.store import SWEEPER, last_operation


def note_swept_runs() -> None:
    """Say so on every run that is not over and has lost its cluster; end those whose Airflow is away. Repeatable."""
    for run in store.open_runs():
        operation = _sweep_of(run)
        if operation is None or (run.finished_at and run.finished_at < operation.asked_at):
            continue
        with store.writing() as opened:
            fresh = opened.get_one(Run, run.id)
            _say_why(opened, fresh, operation)
            if not fresh.state.is_terminal and _is_abandoned(operation):
                _end(opened, fresh, operation)


def is_abandoned(run: Run) -> bool:
    """Whether nobody will tell more of this run: its cluster is gone, and Airflow is away."""
    operation = _sweep_of(run)
    return operation is not None and _is_abandoned(operation)


def _is_abandoned(operation: GoogleOperation) -> bool:
    """An Airflow whose scheduler is dead answers, and calls every run running."""
    airflow = health.of_system(health.AIRFLOW)
    works = airflow.reachable and airflow.scheduler_is_healthy is not False
    return operation.state is OperationState.DONE and not works


def _sweep_of(run: Run) -> GoogleOperation | None:
    """The collector's own order to delete the cluster that was made for a run."""
    address = run_address(run) if makes_cluster(run) else None
    operation = last_operation(address, OperationKind.DELETE) if address else None
    return operation if operation and operation.asked_by == SWEEPER else None


def _say_why(opened: Session, run: Run, operation: GoogleOperation) -> None:
    for invocation in store.invocations(opened, run.id):
        if not invocation.log_complete and invocation.exit_code is None:
            invocation.message = f"{_why(operation)}; dbt ended with it."


def _end(opened: Session, run: Run, operation: GoogleOperation) -> None:
    newest = store.newest(opened, run.id)
    if newest and newest.state.is_terminal:
        run.state = newest.state
    else:
        run.state = RunState.CANCELLED if run.cancel_requested_at else RunState.FAILED
    run.finished_at = now()
    told = newest.message if newest else None
    run.message = told or f"{_why(operation)}; Airflow had not done so, and does not answer."


def _why(operation: GoogleOperation) -> str:
    return f"The cluster {operation.cluster} was deleted because its time to live was over"
