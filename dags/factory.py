"""Published projects to Airflow DAGs: one DAG each, and the anchor DAG that is always there."""

import json
from datetime import UTC, datetime
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, BaseOperator
from pydantic import ValidationError

from contracts.airflow_facts import FACTS_PARAM
from contracts.gke.parameters import GkeParameters
from contracts.names import ANCHOR_DAG_ID, DBT_TASK_ID
from contracts.operators import KubernetesParameters, OperatorName
from contracts.published_project import PublishedProject
from dags import gke_operator, pods
from dags.dbt_api_operator import DbtApiOperator
from dags.executors import airflow_facts, executor_arguments
from dags.kubernetes_operator import pod_operator
from dags.run_params import run_params

_LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)

MAX_ACTIVE_RUNS = 4
"""Further runs of a project wait in Airflow instead of in a worker's slot."""


def project_dags(variable: str, *, only: str | None = None) -> tuple[list[DAG], list[str]]:
    """The DAGs of the Variable's text, and one line for each entry that could not become a DAG.

    With `only`, the id of the DAG that a task belongs to, the others are not made: it starts sooner.
    """
    dags: list[DAG] = []
    problems: list[str] = []
    try:
        entries = json.loads(variable)
    except ValueError as error:
        return [], [f"the whole list: it is not JSON ({error})"]
    for entry in entries if isinstance(entries, list) else [entries]:
        try:
            project = PublishedProject.model_validate(entry)
            if only is None:
                dags.append(_checked(project_dag(project)))
            elif only == project.dag_id:
                dags.append(project_dag(project, in_worker=True))
        except Exception as error:  # whatever is wrong with one project must not take the others down
            problems.append(f"{_label(entry)}: {_reason(error)}")
    return dags, problems


def project_dag(project: PublishedProject, *, in_worker: bool = False) -> DAG:
    """The DAG of one project. Raises ValueError, or whatever Airflow says, when it cannot be made.

    In a worker, which runs the task and schedules none, it asks for no executor.
    """
    with DAG(
        project.dag_id,
        dag_display_name=project.name,
        description=project.description or None,
        doc_md=_documentation(project),
        schedule=project.schedule,
        start_date=project.start_date.astimezone(UTC),
        catchup=False,
        max_active_runs=MAX_ACTIVE_RUNS,
        is_paused_upon_creation=project.paused,
        params=run_params(project),
        tags=["pilothouse", f"operator:{project.operator}"],
        default_args={"owner": project.owner},
        auto_register=False,  # else Airflow takes it, broken or not, before it was checked
        **_templating(project),
    ) as dag:
        _task(project, {} if in_worker else executor_arguments(project))
    return dag


def _templating(project: PublishedProject) -> dict[str, Any]:
    """A pod is a template that renders to a dict; the dbt API operator has none."""
    macros: dict[str, Any]
    match project.operator:
        case OperatorName.DBT_API:
            return {}
        case OperatorName.KUBERNETES:
            macros = {pods.MACRO: pods.pod_macro(project, KubernetesParameters)}
        case OperatorName.GKE:
            macros = {pods.MACRO: pods.pod_macro(project, GkeParameters)}
            macros[gke_operator.MACRO] = gke_operator.gke_macro(project)
    return {"render_template_as_native_obj": True, "user_defined_macros": macros}


def _task(project: PublishedProject, executor: dict[str, Any]) -> BaseOperator:
    values: dict[str, Any] = {
        "task_id": DBT_TASK_ID,
        "pool": project.pool,
        "retries": project.retries,
        "retry_delay": project.retry_delay_seconds,
        **({"queue": project.queue} if project.queue else {}),
        **executor,
    }
    match project.operator:
        case OperatorName.DBT_API:
            return DbtApiOperator(project=project.name, parameters=project.operator_parameters, **values)
        case OperatorName.KUBERNETES:
            return pod_operator(project, **values)
        case OperatorName.GKE:
            return gke_operator.gke_tasks(project, **values)


def _checked(dag: DAG) -> DAG:
    """Airflow looks at a schedule only when it serializes the DAG, and then one wrong cron spoils the whole file."""
    from airflow.serialization.serialized_objects import DagSerialization

    dag.validate()  # type: ignore[no-untyped-call]
    DagSerialization.to_dict(dag)
    return dag


def anchor_dag(problems: list[str]) -> DAG:
    """A DAG that is always in the file: through it the console asks for a new parse and learns what went wrong."""
    lines = ["Pilothouse's anchor: it keeps this file known to Airflow while no project is published. Leave it paused."]
    if problems:
        lines += ["", "**Projects that could not be made into a DAG:**", "", *(f"- {problem}" for problem in problems)]
    with DAG(
        ANCHOR_DAG_ID,
        description="Keeps the list of Pilothouse's projects known to Airflow",
        doc_md="\n".join(lines),
        schedule=None,
        start_date=_LONG_AGO,
        catchup=False,
        is_paused_upon_creation=True,
        params={FACTS_PARAM: airflow_facts().model_dump()},
        tags=["pilothouse"],
    ) as dag:
        EmptyOperator(task_id="nothing")
    return dag


def _documentation(project: PublishedProject) -> str:
    return (
        f"dbt project **{project.name}**, published by Pilothouse. Change it there, not here.\n\n"
        f"Published version `{project.fingerprint}`."
    )


def _label(entry: Any) -> str:
    """Name and version of an entry, as the console looks for them."""
    try:
        project = PublishedProject.model_validate(entry)
        return f"`{project.name}` `{project.fingerprint}`"
    except ValidationError:
        return f"`{entry.get('name') if isinstance(entry, dict) else entry!r}`"


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
    return " ".join(str(error).split()) or type(error).__name__
