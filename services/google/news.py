"""What Google tells, as rows and values of ours. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.gke.names import expires_at
from models.google import GoogleCluster, OperationKind
from services.google.refusals import hint_for

_HTTP_OF_CODE = {3: 400, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 13: 500, 14: 503, 16: 401}
"""google.rpc.Code in HTTP, as cloud.google.com/apis/design/errors has it."""
_KINDS = {"CREATE_CLUSTER": OperationKind.CREATE, "DELETE_CLUSTER": OperationKind.DELETE}


@dataclass(frozen=True)
class OperationNews:
    """How a long operation stands."""

    name: str
    kind: OperationKind | None
    target: str
    """What it is about: a URL that ends with the cluster's name."""
    is_over: bool
    error: str | None
    hint: str | None
    message: str
    stages: list[dict[str, Any]] = field(default_factory=list)
    started_at: datetime | None = None


def operation_news(message: Any) -> OperationNews:
    """Of google.container.v1.Operation."""
    words = str(message.error.message)
    conditions = [*message.cluster_conditions, *message.nodepool_conditions]
    told = words or "; ".join(each.message for each in conditions if each.message)
    failed = bool(message.error.code or words)
    hint = hint_for(_HTTP_OF_CODE.get(message.error.code, 500), told) if failed else None
    return OperationNews(
        name=message.name,
        kind=_KINDS.get(message.operation_type.name),
        target=message.target_link,
        is_over=message.status.name == "DONE",
        error=(told or "Google gives no reason.") if failed else None,
        hint=hint,
        message=message.status_message or message.detail or told,
        stages=list(_stages(message.progress)),
        started_at=_moment(message.start_time),
    )


def _stages(progress: Any) -> Iterable[dict[str, Any]]:
    """Its stages, or the pairs of metrics X and X_TOTAL, which is how GKE tells of the making of a cluster."""
    for stage in progress.stages:
        numbers = list(_of_metrics(stage))
        done, total = (numbers[0]["done"], numbers[0]["total"]) if numbers else (None, None)
        yield {"name": _words(stage.name), "status": stage.status.name, "done": done, "total": total}
    if not progress.stages:
        yield from _of_metrics(progress)


def _of_metrics(progress: Any) -> Iterable[dict[str, Any]]:
    values = {each.name: each.int_value or each.double_value for each in progress.metrics}
    for name, done in values.items():
        total = values.get(f"{name}_TOTAL") or values.get(name.replace("done", "total") if "done" in name else "")
        if total:
            status = "DONE" if done >= total else "RUNNING" if done else "PENDING"
            yield {"name": _words(name), "status": status, "done": done, "total": total}


def _words(name: str) -> str:
    return name.removeprefix("CLUSTER_").replace("_", " ").strip().capitalize()


def cluster_news(message: Any, project_id: str) -> GoogleCluster:
    """Of google.container.v1.Cluster: a row that is not stored yet."""
    labels = dict(message.resource_labels)
    channel = message.release_channel.channel.name
    conditions = [each.message for each in message.conditions if each.message]
    return GoogleCluster(
        project_id=project_id,
        location=message.location or message.zone,
        name=message.name,
        status=message.status.name,
        status_message=message.status_message or "; ".join(conditions),
        is_autopilot=message.autopilot.enabled,
        version=message.current_master_version or message.initial_cluster_version,
        release_channel="" if channel == "UNSPECIFIED" else channel.lower(),
        node_count=message.current_node_count,
        node_pools=[_pool(each) for each in message.node_pools],
        access=access_of(message),
        network=_network(message),
        labels=labels,
        created_at=_moment(message.create_time),
        expires_at=expires_at(labels),
    )


def _pool(pool: Any) -> dict[str, Any]:
    scaling = pool.autoscaling
    at_least = scaling.min_node_count or scaling.total_min_node_count
    at_most = scaling.max_node_count or scaling.total_max_node_count
    return {
        "name": pool.name,
        "status": pool.status.name,
        "machine_type": pool.config.machine_type,
        "disk": f"{pool.config.disk_size_gb} GB {pool.config.disk_type}".strip(),
        "spot": bool(pool.config.spot or pool.config.preemptible),
        "initial": pool.initial_node_count,
        "autoscaling": [at_least, at_most] if scaling.enabled else None,
    }


def access_of(message: Any) -> dict[str, Any]:
    """The addresses of its control plane, and which networks may reach the public one."""
    by_address = message.control_plane_endpoints_config.ip_endpoints_config
    by_name = message.control_plane_endpoints_config.dns_endpoint_config
    older = message.private_cluster_config
    is_told = "ip_endpoints_config" in message.control_plane_endpoints_config
    has_public = by_address.enable_public_endpoint if is_told else not older.enable_private_endpoint
    allowed = by_address.authorized_networks_config if is_told else message.master_authorized_networks_config
    private = by_address.private_endpoint or older.private_endpoint or (None if has_public else message.endpoint)
    public = by_address.public_endpoint or older.public_endpoint or message.endpoint
    return {
        "dns": (by_name.endpoint or None) if by_name.allow_external_traffic else None,
        "public": (public or None) if has_public else None,
        "private": private or None,
        "authorised": [each.cidr_block for each in allowed.cidr_blocks] if allowed.enabled else None,
    }


def _network(message: Any) -> dict[str, Any]:
    nodes = message.network_config.default_enable_private_nodes or message.private_cluster_config.enable_private_nodes
    return {
        "network": message.network_config.network or message.network,
        "subnetwork": message.network_config.subnetwork or message.subnetwork,
        "pods": message.cluster_ipv4_cidr or message.ip_allocation_policy.cluster_ipv4_cidr_block,
        "services": message.services_ipv4_cidr or message.ip_allocation_policy.services_ipv4_cidr_block,
        "private_nodes": bool(nodes),
        "workload_pool": message.workload_identity_config.workload_pool or None,
    }


def _moment(text: str) -> datetime | None:
    """RFC 3339, as Google writes it."""
    return datetime.fromisoformat(text) if text else None
