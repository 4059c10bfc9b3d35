"""The manifest of the pod that dbt runs in: what the Kubernetes and the GKE operator share on Airflow's side.

The manifest is a template field of the provider's operator, so all of it may differ per run. It comes back from Jinja
as a dict (render_template_as_native_obj): nothing that a run's conf holds is ever rendered or parsed again.
"""

from collections.abc import Callable, Mapping
from typing import Any

from airflow.sdk.exceptions import AirflowFailException
from pydantic import ValidationError

from contracts.names import DBT_CONTAINER, PROJECT_LABEL, RUN_LABEL, run_label_of
from contracts.operators import OperatorName
from contracts.pods import PROJECT_VOLUME, SOURCE_MOUNT, EnvironmentSource, PodParameters, Volume
from contracts.published_project import PublishedProject
from contracts.run_conf import RunConf
from dags.pod_source import source_container, source_volumes

MACRO = "dbt_pod"
TEMPLATE = f"{{{{ {MACRO}(params, run_id) }}}}"
NAME_TEMPLATE = f"{{{{ {MACRO}(params, run_id).metadata.name }}}}"
"""The provider makes the name unique, and of a manifest takes no name."""

_DBT_ENVIRONMENT = {
    "DBT_LOG_FORMAT": "json",
    "DBT_LOG_LEVEL": "debug",
    "DBT_USE_COLORS": "false",
    "DBT_USE_COLORS_FILE": "false",
    "DBT_LOG_FILE_MAX_BYTES": "0",
}
"""dbt's events as JSON lines on its output: level debug, because NodeStart and NodeFinished are of that level."""

_RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def pod_macro(
    project: PublishedProject, model: type[PodParameters]
) -> Callable[[Mapping[str, Any], str], dict[str, Any]]:
    """A macro for the DAG: the pod of one run, from the run's params and id.

    It raises AirflowFailException, which Airflow doesn't retry, when the params are wrong.
    """

    def dbt_pod(params: Mapping[str, Any], run_id: str) -> dict[str, Any]:
        conf, parameters = checked(project, model, dict(params))
        return manifest(project, conf, parameters, run_id=run_id)

    return dbt_pod


def checked(
    project: PublishedProject, model: type[PodParameters], params: Mapping[str, Any]
) -> tuple[RunConf, PodParameters]:
    """The run's conf, and the project's parameters with the run's own over them where a run may choose."""
    try:
        conf = RunConf.model_validate(dict(params))
        own = {name: value for name, value in conf.operator_parameters.items() if name not in model.PER_PROJECT}
        parameters = model.model_validate({**project.operator_parameters, **own})
    except ValidationError as error:
        reasons = "; ".join(_reason(problem) for problem in error.errors())
        raise AirflowFailException(f"dbt was not started, this run's parameters are wrong: {reasons}") from None
    if conf.operator is not project.operator:
        runs_on = OperatorName(project.operator).value
        raise AirflowFailException(f"dbt was not started: this project runs on {runs_on}, not on {conf.operator}.")
    return conf, parameters


def manifest(project: PublishedProject, conf: RunConf, parameters: PodParameters, *, run_id: str) -> dict[str, Any]:
    """The pod as Kubernetes takes it, without what Airflow's provider adds: its name and its own labels."""
    labels = {RUN_LABEL: run_label_of(project.dag_id, run_id), PROJECT_LABEL: project.name}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": parameters.name or f"dbt-{project.name.replace('_', '-')}",
            "namespace": parameters.namespace,
            "labels": {**parameters.labels, **labels},
            "annotations": dict(parameters.annotations),
        },
        "spec": _without_nothing(
            {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": parameters.grace_period_seconds,
                "activeDeadlineSeconds": parameters.active_deadline_seconds,
                "serviceAccountName": parameters.service_account,
                "imagePullSecrets": [{"name": name} for name in parameters.image_pull_secrets],
                "nodeSelector": dict(parameters.node_selector),
                "tolerations": [_toleration(each.model_dump(exclude_none=True)) for each in parameters.tolerations],
                "affinity": parameters.affinity.model_dump(mode="json"),
                "priorityClassName": parameters.priority_class,
                "securityContext": _pod_security(parameters),
                "volumes": _volumes(parameters),
                "initContainers": _init_containers(parameters),
                "containers": [_dbt_container(conf, parameters)],
            }
        ),
    }


def _dbt_container(conf: RunConf, parameters: PodParameters) -> dict[str, Any]:
    events = [{"name": name, "value": value} for name, value in _DBT_ENVIRONMENT.items() if name not in parameters.env]
    shared = _shared(parameters)
    return _without_nothing(
        {
            **shared,
            "name": DBT_CONTAINER,
            "image": parameters.image,
            "imagePullPolicy": parameters.image_pull_policy,
            "command": parameters.entrypoint,
            "args": parameters.container_arguments(conf.dbt_arguments()),
            "env": [*events, *shared["env"]],
        }
    )


def _shared(parameters: PodParameters) -> dict[str, Any]:
    """What dbt's container and the one that clones the project have in common."""
    return {
        "env": [
            *({"name": name, "value": value} for name, value in parameters.env.items()),
            *(
                {"name": name, "valueFrom": {"secretKeyRef": {"name": each.secret, "key": each.key}}}
                for name, each in parameters.secret_env.items()
            ),
        ],
        "envFrom": [_environment_source(each) for each in parameters.env_from],
        "resources": _resources(parameters),
        "volumeMounts": _mounts(parameters),
        "securityContext": _RESTRICTED if parameters.security == "restricted" else {},
    }


def _pod_security(parameters: PodParameters) -> dict[str, Any]:
    is_restricted = parameters.security == "restricted"
    return _without_nothing(
        {
            "runAsUser": parameters.run_as_user,
            "fsGroup": parameters.fs_group,
            "runAsNonRoot": True if is_restricted else None,
            "seccompProfile": {"type": "RuntimeDefault"} if is_restricted else None,
        }
    )


def _init_containers(parameters: PodParameters) -> list[dict[str, Any]]:
    if parameters.project_source != "git":
        return []
    return [_without_nothing(source_container(parameters, _shared(parameters)))]


def _resources(parameters: PodParameters) -> dict[str, dict[str, str]]:
    def named(kind: str) -> dict[str, str]:
        found = {
            "cpu": getattr(parameters, f"cpu_{kind}"),
            "memory": getattr(parameters, f"memory_{kind}"),
            "ephemeral-storage": getattr(parameters, f"ephemeral_storage_{kind}"),
        }
        return {name: quantity for name, quantity in found.items() if quantity}

    return _without_nothing({"requests": named("request"), "limits": named("limit")})


def _volumes(parameters: PodParameters) -> list[dict[str, Any]]:
    cloned = source_volumes(parameters) if parameters.project_source == "git" else []
    return [*(_volume(each) for each in parameters.volumes), *cloned]


def _volume(volume: Volume) -> dict[str, Any]:
    mode = int(volume.mode, 8) if volume.mode else None
    if volume.claim:
        source: dict[str, Any] = {"persistentVolumeClaim": {"claimName": volume.claim}}
    elif volume.secret:
        source = {"secret": _without_nothing({"secretName": volume.secret, "defaultMode": mode})}
    elif volume.config_map:
        source = {"configMap": _without_nothing({"name": volume.config_map, "defaultMode": mode})}
    elif volume.host_path:
        source = {"hostPath": {"path": volume.host_path}}
    else:
        source = {"emptyDir": _without_nothing({"sizeLimit": volume.size_limit})}
    return {"name": volume.name, **source}


def _mounts(parameters: PodParameters) -> list[dict[str, Any]]:
    mounts = [
        _without_nothing(
            {
                "name": each.name,
                "mountPath": each.mount_path,
                "subPath": each.sub_path,
                "readOnly": each.read_only or None,
            }
        )
        for each in parameters.volumes
    ]
    cloned = [{"name": PROJECT_VOLUME, "mountPath": SOURCE_MOUNT}] if parameters.project_source == "git" else []
    return [*mounts, *cloned]


def _environment_source(source: EnvironmentSource) -> dict[str, Any]:
    kind, name = ("secretRef", source.secret) if source.secret else ("configMapRef", source.config_map)
    return _without_nothing({"prefix": source.prefix, kind: {"name": name}})


def _toleration(values: dict[str, Any]) -> dict[str, Any]:
    seconds = values.pop("toleration_seconds", None)
    return values if seconds is None else {**values, "tolerationSeconds": seconds}


def _without_nothing(values: dict[str, Any]) -> dict[str, Any]:
    """Only what was chosen: Kubernetes has its own defaults."""
    return {name: value for name, value in values.items() if value not in (None, [], {})}


def _reason(problem: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])
