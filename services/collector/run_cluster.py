"""What Airflow does for a run besides dbt: making a cluster in Google before it, deleting it after. In words."""

from datetime import datetime

from contracts.gke.names import makes_clusters
from contracts.names import CREATE_CLUSTER_TASK_ID, DBT_TASK_ID, DELETE_CLUSTER_TASK_ID
from models.run import Run
from models.types import now
from services.airflow import Airflow, TaskNews
from services.collector import verdict
from services.google.runs import run_address

_DOING = ("running", "restarting")
_WAITING = ("scheduled", "queued")


def makes_cluster(run: Run) -> bool:
    """Whether a cluster is made for this run and deleted with it."""
    return makes_clusters(run.operator, run.conf.get("operator_parameters") or {})


def what_goes_on(run: Run, tasks: dict[str, TaskNews]) -> str | None:
    """What is being done for the run while dbt is not running; None when there is nothing to say."""
    address = run_address(run)
    name = address.name if address else "for this run"
    making, dbt, deleting = (
        _state(tasks, one) for one in (CREATE_CLUSTER_TASK_ID, DBT_TASK_ID, DELETE_CLUSTER_TASK_ID)
    )
    if making == "up_for_retry":
        return f"Google did not make the cluster {name}; Airflow will try again."
    if making in _WAITING:
        return "Waits for a free Airflow worker."
    if making in _DOING:
        return f"Google makes the cluster {name}{_since(tasks[CREATE_CLUSTER_TASK_ID].started_at)}."
    if deleting == "up_for_retry":
        return f"Google has not deleted the cluster {name} yet; Airflow will try again."
    if deleting in (*_WAITING, *_DOING):
        ended = "dbt has ended" if dbt in ("success", "failed") else "dbt was not started"
        return f"{ended}; Google deletes the cluster {name}."
    return None


def why_not_made(run: Run, airflow: Airflow) -> str | None:
    """Why dbt was never started: what failed before it, in Google's words."""
    making = airflow.tasks(run.dag_id, run.dag_run_id).get(CREATE_CLUSTER_TASK_ID)
    if making is None or making.state != "failed":
        return None
    log = airflow.task_log(run.dag_id, run.dag_run_id, making.try_number, task_id=CREATE_CLUSTER_TASK_ID)
    said = verdict.why_task_failed(log.lines)
    return said or "The cluster for this run could not be made, and Airflow gives no reason."


def _state(tasks: dict[str, TaskNews], task_id: str) -> str | None:
    return tasks[task_id].state if task_id in tasks else None


def _since(started_at: datetime | None) -> str:
    minutes = int((now() - started_at).total_seconds() / 60) if started_at else 0
    return f", for {minutes} min so far" if minutes else ""
