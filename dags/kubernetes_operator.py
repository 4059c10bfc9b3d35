"""The provider's KubernetesPodOperator, set up for a published project.

The provider is imported only when a project needs it: that costs seconds of CPU and a hundred megabytes a process.
"""

from typing import Any

from airflow.sdk import BaseOperator

from contracts.operators import KubernetesParameters
from contracts.published_project import PublishedProject
from dags.pod_task import pod_arguments


def pod_operator(project: PublishedProject, **task: Any) -> BaseOperator:
    """The task of a project that runs in pods. Raises ValueError when its parameters are wrong."""
    from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

    parameters = KubernetesParameters.model_validate(project.operator_parameters)
    return KubernetesPodOperator(**pod_arguments(parameters), **_cluster(parameters), **task)


def _cluster(parameters: KubernetesParameters) -> dict[str, Any]:
    match parameters.connection:
        case "in_cluster":
            return {"kubernetes_conn_id": None, "in_cluster": True}
        case "kubeconfig":
            return {
                "kubernetes_conn_id": None,
                "in_cluster": False,
                "config_file": parameters.kubeconfig,
                "cluster_context": parameters.context,
            }
        case "airflow":
            return {"kubernetes_conn_id": parameters.connection_id, "cluster_context": parameters.context}
