"""Reads the end of a pod's log that the provider misses.

Its reader goes on after a broken connection only while the container still runs: what dbt said while the API server was
away is lost when dbt has ended by then, and a moment later the pod is deleted. Import it where the provider is needed.
"""

import logging
from typing import Any

from airflow.providers.cncf.kubernetes.callbacks import KubernetesPodOperatorCallback  # noqa: TID253
from airflow.providers.cncf.kubernetes.utils.pod_manager import parse_log_line  # noqa: TID253

from contracts.names import DBT_CONTAINER

_SECONDS = 60

logger = logging.getLogger(__name__)


class RestOfLog(KubernetesPodOperatorCallback):
    """For the operator's `callbacks`."""

    @staticmethod
    def on_pod_completion(*, pod: Any, client: Any, operator: Any, **_: Any) -> None:
        """Log what the provider's reader has not, before the pod is deleted. A failure of this fails no run."""
        if pod is None:
            return
        try:
            _read_rest(pod, client, operator.pod_manager)
        except Exception as error:
            logger.warning("The end of the pod's log could not be read: %s", error)


def _read_rest(pod: Any, client: Any, manager: Any) -> None:
    name, namespace = pod.metadata.name, pod.metadata.namespace
    read = manager.container_log_times.get((namespace, name, DBT_CONTAINER))
    last = client.read_namespaced_pod_log(
        name, namespace, container=DBT_CONTAINER, tail_lines=1, timestamps=True, _request_timeout=_SECONDS
    )
    said, _ = parse_log_line(last.rstrip("\n"))
    if said and (read is None or said > read):
        manager.fetch_container_logs(pod, DBT_CONTAINER, follow=False, since_time=read)
