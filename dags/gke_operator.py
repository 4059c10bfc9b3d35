"""The provider's own GKE operators, set up for a published project: a pod on a cluster, made for the run if wanted.

A cluster that is made for the run is Airflow's setup and teardown: it is deleted when dbt's task has ended, however it
has, and also when the making failed or was cancelled half-way. The first setup does nothing but succeed, because
Airflow runs a teardown only if one of its setups has. What Airflow can't do, being down, the console's collector does.

The provider is imported only when a project needs it: that costs seconds of CPU and a hundred megabytes a process.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from contracts.gke.names import cluster_of, marks
from contracts.gke.parameters import GkeParameters
from contracts.gke.request import cluster_request
from contracts.names import BEGIN_TASK_ID, CREATE_CLUSTER_TASK_ID, DELETE_CLUSTER_TASK_ID, run_label_of
from contracts.published_project import PublishedProject
from dags.pod_task import pod_arguments
from dags.pods import checked

MACRO = "gke"

_BODY_PARTS = (
    "network", "subnetwork", "release_channel", "ip_allocation_policy", "network_config",
    "control_plane_endpoints_config", "private_cluster_config", "locations", "workload_identity_config",
)  # fmt: skip
"""What may stand in a request for a cluster, whatever its mode."""
_MAKING: dict[str, Any] = {"execution_timeout": timedelta(hours=1)}
_DELETING: dict[str, Any] = {
    "execution_timeout": timedelta(minutes=30), "retries": 60, "retry_delay": timedelta(seconds=30),
}  # fmt: skip
"""Google refuses to delete a cluster that it still makes."""
_POLL_SECONDS = 10


def gke_tasks(project: PublishedProject, **task: Any) -> BaseOperator:
    """The tasks of a project that runs on GKE; returns dbt's. Raises ValueError when its parameters are wrong."""
    from airflow.providers.google.cloud.operators.kubernetes_engine import GKEStartPodOperator

    parameters = GkeParameters.model_validate(project.operator_parameters)
    dbt = GKEStartPodOperator(**pod_arguments(parameters), **_of_run("cluster_name", *_REACHED_BY), **task)
    if parameters.is_ephemeral:
        _around(dbt, parameters, task)
    return dbt


def gke_macro(project: PublishedProject) -> Callable[[Mapping[str, Any], str], dict[str, Any]]:
    """A macro for the DAG: where one run's pod goes, and the request for its cluster, from the run's params and id.

    It raises AirflowFailException, which Airflow doesn't retry, when the params are wrong.
    """
    usual = GkeParameters.model_validate(project.operator_parameters)

    def gke(params: Mapping[str, Any], run_id: str) -> dict[str, Any]:
        _, found = checked(project, GkeParameters, dict(params))
        assert isinstance(found, GkeParameters)
        values = _where(project, found, run_id)
        return {**values, "body": _body(project, usual, found, run_id)} if found.is_ephemeral else values

    return gke


_CALLED_BY = ("project_id", "location", "gcp_conn_id", "impersonation_chain")
_REACHED_BY = (*_CALLED_BY, "use_internal_ip", "use_dns_endpoint")


def _of_run(*names: str) -> dict[str, Any]:
    """Arguments of an operator that the run decides."""
    return {name: _template(name) for name in names}


def _template(path: str) -> str:
    return f"{{{{ {MACRO}(params, run_id).{path} }}}}"


def _around(dbt: BaseOperator, parameters: GkeParameters, task: dict[str, Any]) -> None:
    """Make the cluster before dbt's task and delete it after."""
    from airflow.providers.google.cloud.operators.kubernetes_engine import (
        GKECreateClusterOperator,
        GKEDeleteClusterOperator,
    )

    begin = EmptyOperator(task_id=BEGIN_TASK_ID)
    making = {**task, **_MAKING, "task_id": CREATE_CLUSTER_TASK_ID, "post_execute": see_it_run}
    create = GKECreateClusterOperator(body=_body_template(parameters), **_of_run(*_CALLED_BY), **making)
    deleting = {**task, **_DELETING, "task_id": DELETE_CLUSTER_TASK_ID, "post_execute": see_it_gone}
    delete = GKEDeleteClusterOperator(**_of_run("cluster_name", *_CALLED_BY), **deleting)
    begin >> create >> dbt >> delete.as_teardown(setups=[begin, create])


def _where(project: PublishedProject, parameters: GkeParameters, run_id: str) -> dict[str, Any]:
    address = cluster_of(
        parameters.model_dump(mode="json"), project=project.name, dag_id=project.dag_id, dag_run_id=run_id
    )
    assert address is not None, "the parameters are checked"
    return {
        "project_id": address.project_id,
        "location": address.location,
        "cluster_name": address.name,
        "gcp_conn_id": parameters.gcp_conn_id,
        "impersonation_chain": list(parameters.impersonation_chain) or None,
        "use_internal_ip": parameters.use_internal_ip,
        "use_dns_endpoint": parameters.is_reached_by_dns,
    }


def _body_template(parameters: GkeParameters) -> dict[str, Any]:
    """The request with a template for each part: the operator wants to see at once which parts there are."""
    parts = ["name", "resource_labels", *_BODY_PARTS]
    parts += [] if parameters.makes_autopilot else ["node_pools"]
    fixed = {"autopilot": {"enabled": True}} if parameters.makes_autopilot else {}
    return {**{part: _template(f"body.{part}") for part in parts}, **fixed}


def _body(project: PublishedProject, usual: GkeParameters, parameters: GkeParameters, run_id: str) -> dict[str, Any]:
    if parameters.makes_autopilot is not usual.makes_autopilot:
        raise AirflowFailException("No cluster was made: whether it is Autopilot or Standard is the project's choice.")
    label = run_label_of(project.dag_id, run_id)
    expires_at = datetime.now(UTC) + parameters.time_to_live
    body = cluster_request(parameters.spec(_where(project, parameters, run_id)["cluster_name"]))
    labels = marks(run_label=label, project=project.name, expires_at=expires_at)
    body["resource_labels"] = {**(body.get("resource_labels") or {}), **labels}
    return {**dict.fromkeys(_BODY_PARTS), **body}


def see_it_run(context: Any, result: Any = None) -> None:  # noqa: ARG001
    """After the provider's create: it takes any end of Google's operation for success, and a cluster of an earlier try
    for a finished one. Returns when the cluster runs; raises with Google's words when it never will.
    """
    while (cluster := _cluster_of(context["task"])).status.name == "PROVISIONING":
        time.sleep(_POLL_SECONDS)
    if cluster.status.name not in ("RUNNING", "RECONCILING"):
        said = [cluster.status_message, *(condition.message for condition in cluster.conditions)]
        told = next(filter(None, said), f"its state is {cluster.status.name}, and there is no reason given.")
        raise AirflowFailException(f"Google could not make the cluster {cluster.name}: {told}")


def see_it_gone(context: Any, result: Any = None) -> None:  # noqa: ARG001
    """After the provider's delete, which doesn't look how Google's operation ended: raise if the cluster is there."""
    from google.api_core.exceptions import NotFound

    try:
        cluster = _cluster_of(context["task"])
    except NotFound:
        return
    told = cluster.status_message or f"its state is {cluster.status.name}."
    raise AirflowException(f"Google has not deleted the cluster {cluster.name}: {told}")


def _cluster_of(task: Any) -> Any:
    return task.cluster_hook.get_cluster(name=task.cluster_name, project_id=task.project_id)
