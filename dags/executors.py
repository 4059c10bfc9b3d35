"""Which executor a project's task asks for, and its worker pod where that executor is Kubernetes."""

from typing import Any

from contracts.airflow_facts import AirflowFacts
from contracts.executors import KUBERNETES_EXECUTOR, WorkerPod
from contracts.names import DBT_CONTAINER, PROJECT_LABEL
from contracts.published_project import PublishedProject


def executor_arguments(project: PublishedProject) -> dict[str, Any]:
    """What the task is given. Raises ValueError when Airflow has no such executor.

    Asked for where the scheduler's DAGs are made, not in a worker: that may know no executor but its own.
    """
    if project.executor is None and project.worker_pod.is_empty:
        return {}
    is_kubernetes = _module_of(project.executor).endswith(f".{KUBERNETES_EXECUTOR}")
    given: dict[str, Any] = {"executor": project.executor} if project.executor else {}
    if is_kubernetes and not project.worker_pod.is_empty:
        given["executor_config"] = {"pod_override": _override(project.name, project.worker_pod)}
    return given


def airflow_facts() -> AirflowFacts:
    """What this Airflow's configuration says of executors; nothing where it cannot be read."""
    from airflow.configuration import conf

    try:
        return AirflowFacts(executors=_names(), parallelism=conf.getint("core", "parallelism"))
    except Exception:  # a broken setting is Airflow's to tell, and no reason to lose the projects' DAGs
        return AirflowFacts()


def _names() -> list[str]:
    from airflow.executors.executor_loader import ExecutorLoader

    return [name.alias or name.module_path for name in ExecutorLoader.get_executor_names(validate_teams=False)]


def _module_of(executor: str | None) -> str:
    from airflow.exceptions import UnknownExecutorException
    from airflow.executors.executor_loader import ExecutorLoader

    if executor is None:
        return ExecutorLoader.get_default_executor_name().module_path
    try:
        return ExecutorLoader.lookup_executor_name_by_str(executor, validate_teams=False).module_path
    except UnknownExecutorException:
        raise ValueError(f"Airflow has no executor '{executor}', only {', '.join(_names())}") from None


def _override(project: str, worker: WorkerPod) -> Any:
    from kubernetes.client import models  # type: ignore[import-untyped, unused-ignore]

    requests = {"cpu": worker.cpu_request, "memory": worker.memory_request}
    limits = {"cpu": worker.cpu_limit, "memory": worker.memory_limit}
    resources = models.V1ResourceRequirements(requests=_given(requests), limits=_given(limits))
    container = models.V1Container(name=DBT_CONTAINER, resources=resources)
    return models.V1Pod(
        metadata=models.V1ObjectMeta(labels={PROJECT_LABEL: project}),
        spec=models.V1PodSpec(containers=[container], node_selector=dict(worker.node_selector) or None),
    )


def _given(quantities: dict[str, str | None]) -> dict[str, str] | None:
    return {name: quantity for name, quantity in quantities.items() if quantity} or None
