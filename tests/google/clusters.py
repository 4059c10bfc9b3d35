"""What Google adds to a cluster that somebody asked for, and what it refuses about it."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.cloud.container_v1 import types

from tests.google import errors

API = "https://container.googleapis.com/v1/"
ClusterStatus: Any = types.Cluster.Status
"""The proto-plus enums are not typed as such."""
PoolStatus: Any = types.NodePool.Status
VERSION = "1.33.4-gke.1036000"
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")
_LOCATION = re.compile(r"[a-z]+-[a-z]+[0-9]+(-[a-z])?")
_LABEL_KEY = re.compile(r"[a-z][-_a-z0-9]{0,62}")
_LABEL_VALUE = re.compile(r"[-_a-z0-9]{0,63}")


@dataclass(frozen=True)
class Endpoint:
    """A real Kubernetes API server that the stand-in's clusters point to."""

    address: str
    """host:port"""
    authority: str
    """Its CA's certificate, base64 of PEM."""
    token: str
    """What it takes as a bearer token; the token endpoint hands it out."""


NOWHERE = Endpoint("127.0.0.1:9", "", "ya29.stand-in")
"""For tests that only look at the control plane."""


def now() -> str:
    """RFC 3339, as Google writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def check(cluster: types.Cluster, location: str) -> None:
    """Raises Refusal where Google would."""
    if not _LOCATION.fullmatch(location):
        raise errors.invalid(f'Location "{location}" does not exist.')
    if not _NAME.fullmatch(cluster.name):
        raise errors.invalid(
            f'Invalid value for field "cluster.name": "{cluster.name}". Must start with a lowercase letter followed '
            "by up to 39 lowercase letters, numbers, or hyphens, and cannot end with a hyphen."
        )
    _check_labels(cluster)
    if cluster.autopilot.enabled:
        if cluster.node_pools or cluster.initial_node_count:
            raise errors.invalid("Autopilot clusters do not support mutation or customization of node pools.")
    elif not cluster.node_pools and not cluster.initial_node_count:
        raise errors.invalid("Cluster.initial_node_count must be greater than zero.")
    elif cluster.node_pools and cluster.initial_node_count:
        raise errors.invalid("Cluster.initial_node_count and Cluster.node_pools cannot both be set.")


def _check_labels(cluster: types.Cluster) -> None:
    for key, value in cluster.resource_labels.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            raise errors.invalid(f'Invalid resource label "{key}": "{value}".')


def accepted(asked: types.Cluster, parent: str, endpoint: Endpoint) -> types.Cluster:
    """The cluster as it is kept from the moment it was accepted."""
    cluster: types.Cluster = types.Cluster.deserialize(types.Cluster.serialize(asked))
    location = parent.split("/")[3]
    name = f"{parent}/clusters/{cluster.name}"
    cluster.self_link = API + name
    cluster.id = hashlib.sha256(f"{name}{now()}".encode()).hexdigest()
    cluster.location = cluster.zone = location
    cluster.locations = cluster.locations or [location if location.count("-") > 1 else f"{location}-b"]
    cluster.status = ClusterStatus.PROVISIONING
    cluster.create_time = now()
    cluster.initial_cluster_version = cluster.initial_cluster_version or VERSION
    cluster.network = cluster.network or "default"
    cluster.subnetwork = cluster.subnetwork or "default"
    if cluster.release_channel.channel == types.ReleaseChannel.Channel.UNSPECIFIED:
        cluster.release_channel = types.ReleaseChannel(channel=types.ReleaseChannel.Channel.REGULAR)
    cluster.label_fingerprint = hashlib.sha256(str(sorted(cluster.resource_labels.items())).encode()).hexdigest()[:8]
    cluster.node_pools = [_pool(pool, name) for pool in _wanted_pools(cluster)]
    return cluster


def _wanted_pools(cluster: types.Cluster) -> list[types.NodePool]:
    if cluster.node_pools or cluster.autopilot.enabled:
        return list(cluster.node_pools)
    pool = types.NodePool(name="default-pool", initial_node_count=cluster.initial_node_count)
    pool.config = cluster.node_config
    return [pool]


def _pool(pool: types.NodePool, cluster: str) -> types.NodePool:
    pool.self_link = f"{API}{cluster}/nodePools/{pool.name}"
    pool.status = PoolStatus.PROVISIONING
    pool.version = pool.version or VERSION
    pool.config.machine_type = pool.config.machine_type or "e2-medium"
    pool.config.disk_size_gb = pool.config.disk_size_gb or 100
    return pool


def new_pool(asked: types.NodePool, cluster: str) -> types.NodePool:
    """A node pool of its own, as it is kept."""
    return _pool(types.NodePool.deserialize(types.NodePool.serialize(asked)), cluster)


def bring_up(cluster: types.Cluster, endpoint: Endpoint) -> None:
    """The cluster as it is when it has been made."""
    cluster.status = ClusterStatus.RUNNING
    cluster.current_master_version = VERSION
    cluster.master_auth = types.MasterAuth(cluster_ca_certificate=endpoint.authority)
    cluster.endpoint = endpoint.address
    cluster.private_cluster_config.private_endpoint = endpoint.address
    cluster.private_cluster_config.public_endpoint = endpoint.address
    dns = cluster.control_plane_endpoints_config.dns_endpoint_config
    dns.endpoint = dns_name(cluster)
    for pool in cluster.node_pools:
        pool.status = PoolStatus.RUNNING
    cluster.current_node_count = sum(pool.initial_node_count for pool in cluster.node_pools)


def dns_name(cluster: types.Cluster) -> str:
    """The name of its DNS endpoint."""
    region = "-".join(cluster.location.split("-")[:2])
    return f"gke-{cluster.id[:32]}-123456789012.{region}.gke.goog"
