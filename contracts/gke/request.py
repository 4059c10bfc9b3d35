"""A ClusterSpec as Google's API takes it, and as the gcloud command that makes the same cluster. Pure.

Airflow's operator reads the request by `Cluster.from_json`: snake-case names, and enums by their names, are right.
"""

import shlex
from typing import Any

from contracts.gke.clusters import ClusterSpec

_POOL = "default-pool"
"""The name that gcloud gives."""
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
"""What nodes may do is their service account's matter; without a scope they can't even pull an image."""


def cluster_request(spec: ClusterSpec) -> dict[str, Any]:
    """The `cluster` of a CreateClusterRequest, for `projects/<project_id>/locations/<location>`."""
    body: dict[str, Any] = {
        "name": spec.name,
        "network": spec.network,
        "subnetwork": spec.subnetwork,
        "resource_labels": dict(spec.labels) or None,
        "release_channel": {"channel": spec.release_channel.upper()},
        "ip_allocation_policy": _ranges(spec),
        "network_config": {"default_enable_private_nodes": spec.private_nodes},
        "control_plane_endpoints_config": _endpoints(spec),
    }
    if spec.control_plane_range:
        body["private_cluster_config"] = {"master_ipv4_cidr_block": spec.control_plane_range}
    if spec.mode == "autopilot":
        body["autopilot"] = {"enabled": True}
    else:
        body |= _standard(spec)
    return {name: value for name, value in body.items() if value is not None}


def _ranges(spec: ClusterSpec) -> dict[str, Any]:
    ranges = {
        "cluster_ipv4_cidr_block": spec.pod_range,
        "cluster_secondary_range_name": spec.pod_range_name,
        "services_ipv4_cidr_block": spec.service_range,
        "services_secondary_range_name": spec.service_range_name,
    }
    return {"use_ip_aliases": True, **{name: value for name, value in ranges.items() if value}}


def _endpoints(spec: ClusterSpec) -> dict[str, Any]:
    by_address: dict[str, Any] = {"enabled": True, "enable_public_endpoint": spec.has_public_address}
    if not spec.open_to_internet:
        blocks = [{"cidr_block": cidr} for cidr in spec.authorised_networks]
        by_address["authorized_networks_config"] = {
            "enabled": True, "cidr_blocks": blocks, "gcp_public_cidrs_access_enabled": False,
        }  # fmt: skip
    return {
        "dns_endpoint_config": {"allow_external_traffic": spec.dns_endpoint},
        "ip_endpoints_config": by_address,
    }


def _standard(spec: ClusterSpec) -> dict[str, Any]:
    body: dict[str, Any] = {"node_pools": [_pool(spec)]}
    if spec.zones:
        body["locations"] = list(spec.zones)
    if spec.workload_identity:
        body["workload_identity_config"] = {"workload_pool": _workload_pool(spec)}
    return body


def _pool(spec: ClusterSpec) -> dict[str, Any]:
    config: dict[str, Any] = {
        "machine_type": spec.machine_type,
        "disk_type": spec.disk_type,
        "disk_size_gb": spec.disk_size_gb,
        "spot": spec.spot,
        "oauth_scopes": [_SCOPE],
    }
    if spec.node_service_account:
        config["service_account"] = spec.node_service_account
    if spec.workload_identity:
        config["workload_metadata_config"] = {"mode": "GKE_METADATA"}
    pool: dict[str, Any] = {"name": _POOL, "initial_node_count": spec.node_count, "config": config}
    pool["management"] = {"auto_upgrade": True, "auto_repair": True}
    if spec.autoscaling:
        pool["autoscaling"] = {"enabled": True, "min_node_count": spec.min_nodes, "max_node_count": spec.max_nodes}
    return pool


def _workload_pool(spec: ClusterSpec) -> str:
    domain, _, project = spec.project_id.rpartition(":")
    return f"{project}.{domain}.svc.id.goog" if domain else f"{project}.svc.id.goog"


def gcloud_command(spec: ClusterSpec) -> str:
    """The command that makes the same cluster."""
    is_autopilot = spec.mode == "autopilot"
    words = ["gcloud", "container", "clusters", "create-auto" if is_autopilot else "create", spec.name]
    words += _flags(project=spec.project_id, location=spec.location, network=spec.network, subnetwork=spec.subnetwork)
    words += ["--enable-private-nodes"] if spec.private_nodes else ["--no-enable-private-nodes"]
    words += _flags(
        cluster_ipv4_cidr=spec.pod_range,
        cluster_secondary_range_name=spec.pod_range_name,
        services_ipv4_cidr=spec.service_range,
        services_secondary_range_name=spec.service_range_name,
        master_ipv4_cidr=spec.control_plane_range,
    )
    words += _access_flags(spec)
    words += _flags(release_channel=spec.release_channel.value)
    words += [] if is_autopilot else _node_flags(spec)
    return shlex.join(words + _flags(labels=",".join(f"{key}={value}" for key, value in spec.labels.items())))


def _access_flags(spec: ClusterSpec) -> list[str]:
    words = ["--enable-dns-access"] if spec.dns_endpoint else ["--no-enable-dns-access"]
    if spec.open_to_internet:
        return [*words, "--no-enable-master-authorized-networks"]
    words += ["--enable-master-authorized-networks", "--no-enable-google-cloud-access"]
    if spec.authorised_networks:
        return words + _flags(master_authorized_networks=",".join(spec.authorised_networks))
    return [*words, "--enable-private-endpoint"]


def _node_flags(spec: ClusterSpec) -> list[str]:
    words = ["--enable-ip-alias", *_flags(node_locations=",".join(spec.zones))]
    words += _flags(
        num_nodes=str(spec.node_count),
        machine_type=spec.machine_type,
        disk_type=spec.disk_type,
        disk_size=f"{spec.disk_size_gb}GB",
        scopes="cloud-platform",
        service_account=spec.node_service_account,
        workload_pool=_workload_pool(spec) if spec.workload_identity else None,
    )
    words += ["--spot"] if spec.spot else []
    if spec.autoscaling:
        words += ["--enable-autoscaling", *_flags(min_nodes=str(spec.min_nodes), max_nodes=str(spec.max_nodes))]
    return words


def _flags(**values: str | None) -> list[str]:
    """`--name=value` for each that has one."""
    return [f"--{name.replace('_', '-')}={value}" for name, value in values.items() if value]
