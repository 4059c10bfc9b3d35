"""From a DAG run, whoever started it, to a run of ours."""

import shlex
from typing import Any

from sqlmodel import Session, select

from contracts.names import project_name_of
from contracts.operators import OperatorName
from contracts.run_conf import DbtCommand, RunConf
from models.project import Project
from models.run import Run, Trigger
from models.types import now
from services.airflow import DagRunNews

_BY_RUN_TYPE = {"scheduled": Trigger.SCHEDULE, "manual": Trigger.AIRFLOW}


def run_of(opened: Session, news: DagRunNews) -> Run | None:
    """The stored run of a DAG run, or None."""
    return opened.exec(select(Run).where(Run.dag_id == news.dag_id, Run.dag_run_id == news.dag_run_id)).one_or_none()


def discovered(opened: Session, news: DagRunNews) -> Run:
    """A row for a DAG run that somebody else started: the schedule, Airflow's pages, another client."""
    name = project_name_of(news.dag_id) or news.dag_id
    project = opened.exec(select(Project).where(Project.name == name)).one_or_none()
    conf = _conf(project, news.conf)
    trigger = _BY_RUN_TYPE.get(news.run_type, Trigger.AIRFLOW)
    run = Run(
        project=name,
        dag_id=news.dag_id,
        dag_run_id=news.dag_run_id,
        operator=conf.operator if conf else OperatorName.DBT_API,
        command=shlex.join(conf.dbt_arguments()) if conf else str(news.conf.get("command", "")),
        conf=conf.model_dump(mode="json") if conf else news.conf,
        target=conf.target if conf else None,
        trigger=trigger,
        launched_by=(conf and conf.requested_by) or (None if trigger is Trigger.SCHEDULE else news.triggered_by),
        git_sha=project.git_sha if project else None,
        created_at=news.queued_at or now(),
        handed_over_at=now(),
    )
    opened.add(run)
    opened.flush()
    return run


def _conf(project: Project | None, given: dict[str, Any]) -> RunConf | None:
    """What the run does: the project's own values, as the DAG's params have them, and over them what was given.

    None when that is no valid conf: the operator will refuse it too, and the run fails with the reason.
    """
    defaults: dict[str, Any] = {}
    if project:
        defaults = {
            "command": project.command,
            "target": project.target,
            "threads": project.threads,
            "operator": project.operator,
            "operator_parameters": project.operator_parameters,
        }
    values = {**defaults, **given}
    try:
        if "threads" not in given and not DbtCommand(values.get("command", DbtCommand.BUILD)).takes_threads:
            values.pop("threads", None)
        return RunConf.model_validate(values)
    except ValueError:
        return None
