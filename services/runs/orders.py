"""Orders about runs: launch, cancel, retry. A run is stored before Airflow hears of it."""

import shlex
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from contracts.dbt_api import Preview
from contracts.names import DBT_TASK_ID, dag_id_of, invocation_task_id
from contracts.run_conf import RunConf
from models.project import Project, ProjectStep, Step, StepState
from models.run import Run, Trigger
from models.run_state import RunState
from models.types import now
from services.airflow import Airflow
from services.connections import dbt_api
from services.database import session
from services.errors import BackendError, BackendRejected, BackendTimeout, NotAllowed, NotFound
from services.projects.store import get_project
from services.results import node_results
from services.rights import require_run
from services.runs import retries
from services.runs.history import get_run, invocations_of
from services.runs.launching import LaunchRequest, build_conf

_RUN_ID_PREFIX = "console__"


def airflow_link(run: Run) -> str:
    """The run in Airflow's own pages."""
    return Airflow.from_settings().run_link(run.dag_id, run.dag_run_id)


def preview(project_name: str, request: LaunchRequest) -> Preview:
    """The nodes that a selection means, in dbt's own words. Raises InvalidInput for a malformed request."""
    conf = build_conf(get_project(project_name), request, by=None)
    return retries.preview_of(dbt_api(), project_name, conf)


def launch(project_name: str, request: LaunchRequest, *, launch_key: str, by: str) -> Run:
    """Start a run. The same key is the same run, however often it is given.

    Raises InvalidInput or NotAllowed before anything is stored. When Airflow cannot be reached or refuses, the run is
    stored as failed, the BackendError is raised, and the same key may be tried again. When Airflow gives no answer,
    the run is returned as queued: the collector finds out whether Airflow has it.
    """
    project = _launchable(project_name, by=by)
    conf = build_conf(project, request, by=by)
    return _hand_over(_stored(project, conf, launch_key=launch_key, by=by))


def retry(run_id: int, *, by: str, launch_key: str, only_unfinished: bool = True) -> Run:
    """Start a new run of what a finished run left unfinished, or of the whole again.

    Raises as `launch` does, and NotAllowed while the run is not over.
    """
    run = get_run(run_id)
    if not run.state.is_terminal:
        raise NotAllowed(f"Run {run_id} is not over yet.", hint="Wait for its end, or cancel it first.")
    project = _launchable(run.project, by=by)
    if existing := _run_of_key(project.name, launch_key):
        return _hand_over(existing)
    conf = _conf_of_retry(run, by=by) if only_unfinished else retries.conf_again(run, by=by)
    return _hand_over(_stored(project, conf, launch_key=launch_key, by=by, retry_of=run_id))


def cancel(run_id: int, *, by: str) -> Run:
    """Ask dbt to stop gracefully, then end the DAG run. A run that is over stays as it is.

    A pod needs no order of ours: Airflow deletes it, and its grace period lets dbt end. With one of the two systems
    down the other is still told, and the collector tells the rest later; an error is raised only when none could be.
    """
    run = _marked_cancelled(run_id, by=by)
    if run.state.is_terminal:
        return run
    orders = [_end_dag_run] if run.operator.runs_in_pods else [_abort_dbt, _end_dag_run]
    problems = [problem for order in orders if (problem := order(run, by))]
    if len(problems) == len(orders):
        raise problems[0]
    return run


def _conf_of_retry(run: Run, *, by: str) -> RunConf:
    invocations = invocations_of(run.id or 0)
    nodes = node_results(invocations[-1].id or 0) if invocations else []
    return retries.conf_of_retry(run, nodes, by=by, dbt_api=dbt_api())


def _launchable(name: str, *, by: str) -> Project:
    project = get_project(name)
    require_run(by, project.operator, project.operator_parameters)
    if project.paused:
        raise NotAllowed(
            f"Project '{name}' is paused: Airflow would not start the run.", hint="Resume it, then launch."
        )
    with session() as opened:
        steps = opened.exec(select(ProjectStep).where(ProjectStep.project_id == project.id))
        done = {step.step for step in steps if step.state is StepState.DONE}
    if not {Step.PUBLISHED, Step.KNOWN_TO_AIRFLOW} & done:
        raise NotAllowed(f"Airflow does not know project '{name}' yet.", hint="Finish the steps on the project's page.")
    return project


def _run_of_key(project_name: str, launch_key: str) -> Run | None:
    with session() as opened:
        key = (Run.dag_id == dag_id_of(project_name), Run.dag_run_id == f"{_RUN_ID_PREFIX}{launch_key}")
        return opened.exec(select(Run).where(*key)).one_or_none()


def _stored(project: Project, conf: RunConf, *, launch_key: str, by: str, retry_of: int | None = None) -> Run:
    """The run of this key: the one that is there, or a new row. Two clicks at once meet at the unique constraint."""
    if existing := _run_of_key(project.name, launch_key):
        return existing
    run = Run(
        project=project.name,
        dag_id=dag_id_of(project.name),
        dag_run_id=f"{_RUN_ID_PREFIX}{launch_key}",
        operator=conf.operator,
        command=shlex.join(conf.dbt_arguments()),
        conf=conf.model_dump(mode="json"),
        target=conf.target,
        trigger=Trigger.MANUAL if retry_of is None else Trigger.RETRY,
        launched_by=by,
        retry_of=retry_of,
        git_sha=project.git_sha,
    )
    try:
        with session() as opened:
            opened.add(run)
    except IntegrityError:
        if existing := _run_of_key(project.name, launch_key):
            return existing
        raise
    return run


def _hand_over(run: Run) -> Run:
    """Tell Airflow, unless it has the run already. Repeating is safe: Airflow knows the run by its id."""
    if run.handed_over_at or (run.state.is_terminal and run.state is not RunState.FAILED):
        return run
    try:
        Airflow.from_settings().trigger(run.dag_id, run.dag_run_id, run.conf, note=f"Launched by {run.launched_by}")
    except BackendTimeout:
        return _update(run, message="Airflow gave no answer; finding out whether it has the run.")
    except BackendError as error:
        refused = isinstance(error, BackendRejected)
        _update(run, state=RunState.FAILED, message=error.message, finished_at=now(), collected=refused)
        raise
    return _update(run, state=RunState.QUEUED, message=None, finished_at=None, collected=False, handed_over_at=now())


def _update(run: Run, **values: Any) -> Run:
    """Write what the handing over told, unless the collector has seen the run in Airflow meanwhile."""
    with session() as opened:
        fresh = opened.get_one(Run, run.id)
        if fresh.handed_over_at is None:
            fresh.sqlmodel_update(values)
        return fresh


def _marked_cancelled(run_id: int, *, by: str) -> Run:
    get_run(run_id)
    with session() as opened:
        run = opened.get_one(Run, run_id)
        if not run.state.is_terminal and run.cancel_requested_at is None:
            run.cancel_requested_at, run.cancel_requested_by = now(), by
        return run


def _abort_dbt(run: Run, by: str) -> BackendError | None:
    """Abort the newest invocation, known or about to be; one that the dbt API never saw needs no abort."""
    known = [invocation.try_number for invocation in invocations_of(run.id or 0)]
    task_id = invocation_task_id(run.dag_id, run.dag_run_id, DBT_TASK_ID, max(known, default=1))
    try:
        dbt_api().abort(task_id, reason=f"Cancelled by {by}")
    except NotFound:
        return None
    except BackendError as error:
        return error
    return None


def _end_dag_run(run: Run, by: str) -> BackendError | None:
    try:
        Airflow.from_settings().fail_dag_run(run.dag_id, run.dag_run_id, f"Cancelled by {by}")
    except BackendTimeout:
        return None  # it may have been taken, and the collector gives the order again until the run is over
    except BackendError as error:
        return error
    return None
