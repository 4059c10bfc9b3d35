"""The arguments that the provider's KubernetesPodOperator and GKEStartPodOperator take alike for a published project.

What Airflow takes from the DAG alone stands here; the pod itself is the template's, made anew for each run. on_kill
deletes the pod with the grace period of its manifest, in which the image's entrypoint interrupts dbt.
"""

from datetime import timedelta
from typing import Any

from contracts.names import DBT_CONTAINER, SOURCE_CONTAINER
from contracts.pods import PodParameters
from dags.pods import NAME_TEMPLATE, TEMPLATE

_MARGIN_SECONDS = 30


def pod_arguments(parameters: PodParameters) -> dict[str, Any]:
    """Everything about the pod and its life, but not where it runs."""
    from dags.rest_of_log import RestOfLog  # the provider's import is expensive

    return {
        "name": NAME_TEMPLATE,
        "pod_template_dict": TEMPLATE,  # a dict once it is rendered
        "base_container_name": DBT_CONTAINER,
        "init_container_logs": SOURCE_CONTAINER if parameters.project_source == "git" else None,
        "startup_timeout_seconds": parameters.startup_timeout_seconds,
        "startup_check_interval_seconds": 1,
        "execution_timeout": _time_limit(parameters),
        "on_finish_action": parameters.on_finish_action.value,
        "on_kill_action": "delete_pod",
        "log_events_on_failure": True,
        "log_pod_spec_on_failure": False,
        "deferrable": False,
        "do_xcom_push": False,
        "callbacks": RestOfLog,
    }


def _time_limit(parameters: PodParameters) -> timedelta | None:
    """A little more than the pod may take. Seen on Kubernetes 1.20: a pod that its deadline has ended still calls its
    container running, and the provider then follows the log for ever.

    The pod's own time begins when it is on a node; the provider grants its start-up timeout once until then and once
    more until the container runs.
    """
    if parameters.active_deadline_seconds is None:
        return None
    seconds = 2 * parameters.startup_timeout_seconds + parameters.active_deadline_seconds
    return timedelta(seconds=seconds + parameters.grace_period_seconds + _MARGIN_SECONDS)
