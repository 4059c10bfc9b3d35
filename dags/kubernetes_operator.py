"""The provider's KubernetesPodOperator, set up for a published project.

The provider is imported only when a project needs it: that costs seconds of CPU and a hundred megabytes a process.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator

from contracts.names import DBT_CONTAINER, SOURCE_CONTAINER
from contracts.operators import KubernetesParameters
from contracts.published_project import PublishedProject
from dags.pods import TEMPLATE

_MARGIN_SECONDS = 30


def pod_operator(project: PublishedProject, **task: Any) -> BaseOperator:
    """The task of a project that runs in pods. Raises ValueError when its parameters are wrong.

    What Airflow takes from the DAG alone stands here; the pod itself is the template's, made anew for each run.
    on_kill deletes the pod with the grace period of its manifest, in which the image's entrypoint interrupts dbt.
    """
    from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator

    parameters = KubernetesParameters.model_validate(project.operator_parameters)
    return KubernetesPodOperator(
        name=f"dbt-{project.name.replace('_', '-')}",
        pod_template_dict=TEMPLATE,  # type: ignore[arg-type]  # a dict once it is rendered
        base_container_name=DBT_CONTAINER,
        init_container_logs=SOURCE_CONTAINER if parameters.project_source == "git" else None,
        startup_timeout_seconds=parameters.startup_timeout_seconds,
        startup_check_interval_seconds=1,
        execution_timeout=_time_limit(parameters),
        on_finish_action=parameters.on_finish_action.value,
        on_kill_action="delete_pod",
        log_events_on_failure=True,
        log_pod_spec_on_failure=False,
        deferrable=False,
        do_xcom_push=False,
        **_cluster(parameters),
        **task,
    )


def _time_limit(parameters: KubernetesParameters) -> timedelta | None:
    """A little more than the pod may take. Seen on Kubernetes 1.20: a pod that its deadline has ended still calls its
    container running, and the provider then follows the log for ever.

    The pod's own time begins when it is on a node; the provider grants its start-up timeout once until then and once
    more until the container runs.
    """
    if parameters.active_deadline_seconds is None:
        return None
    seconds = 2 * parameters.startup_timeout_seconds + parameters.active_deadline_seconds
    return timedelta(seconds=seconds + parameters.grace_period_seconds + _MARGIN_SECONDS)


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
