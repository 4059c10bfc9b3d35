"""Deletes a project: first where it could still run, last our own rows, so that a failure can be resumed."""

import shutil
from typing import Any

from sqlmodel import col, func, select

from contracts.names import dag_id_of
from models.notification import NotificationRule
from models.project import Project, Step, StepState
from models.run import Run
from models.run_state import RunState
from services.airflow import Airflow
from services.connections import dbt_api
from services.database import session
from services.errors import NotAllowed
from services.projects import store
from services.projects.locks import changing
from services.projects.publishing import withdraw
from services.projects.uploads import forget_unused
from services.settings import settings

_ACTIVE = [state for state in RunState if not state.is_terminal]


def active_runs(name: str) -> int:
    """How many runs of the project are under way: it cannot be deleted before they have ended."""
    return _count(name, col(Run.state).in_(_ACTIVE))


def past_runs(name: str) -> int:
    """How many runs the history holds of the project."""
    return _count(name)


def delete(name: str, *, with_history: bool = False) -> None:
    """Delete the DAG, the entry in Airflow's list, the dbt API's files, our rows, and if wanted all runs.

    Raises NotAllowed while runs are under way. With a system down it raises BackendError: what is deleted stays
    deleted, the project stays in the list, and deleting again goes on.
    """
    store.get_project(name)
    with changing(name):
        project = store.get_project(name)
        if running := active_runs(name):
            raise NotAllowed(
                f"Project '{name}' has {running} {'run' if running == 1 else 'runs'} under way.",
                hint="Wait for the end or cancel, then delete.",
            )
        begun = {row.step for row in store.steps_of(project) if row.started_at}
        if Step.PUBLISHED in begun:
            _leave_airflow(project)
        if Step.SOURCE_READY in begun:
            _leave_dbt_api(project)
        _forget(name, with_history=with_history)


def _leave_airflow(project: Project) -> None:
    withdraw(project)
    _mark(project, Step.PUBLISHED, "No longer published: the project is being deleted.")
    Airflow.from_settings().delete_dag(dag_id_of(project.name))


def _leave_dbt_api(project: Project) -> None:
    dbt_api().delete_project(project.name)
    _mark(project, Step.SOURCE_READY, "The dbt API's files are gone: the project is being deleted.")


def _mark(project: Project, step: Step, message: str) -> None:
    """Say on the steps how far the deletion came, should it stop after this."""
    with session() as opened:
        store.reset_from(opened, project, step)
        row = store.step_row(opened, project, step)
        row.state, row.message = StepState.FAILED, message
        row.hint = "Delete again to go on, or try again from here to keep the project."


def _forget(name: str, *, with_history: bool) -> None:
    with session() as opened:
        opened.delete(store.row_of(opened, name))
        for rule in opened.exec(select(NotificationRule).where(NotificationRule.project == name)):
            opened.delete(rule)
        runs = list(opened.exec(select(Run).where(Run.project == name))) if with_history else []
        for run in runs:
            opened.delete(run)
    forget_unused()
    for run in runs:
        shutil.rmtree(settings().logs / str(run.id), ignore_errors=True)


def _count(name: str, *conditions: Any) -> int:
    with session() as opened:
        return opened.exec(select(func.count()).select_from(Run).where(Run.project == name, *conditions)).one()
