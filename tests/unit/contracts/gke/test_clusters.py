"""What may be asked of a new cluster, and that Google's own types take the request as it is made here."""

import json
import shlex
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.gke.clusters import ClusterMode, ClusterSpec
from contracts.gke.names import ephemeral_name, expires_at, marks
from contracts.gke.request import cluster_request, gcloud_command
from contracts.names import run_label_of

WHERE = {"project_id": "harbour-123", "location": "europe-west1", "name": "dbt"}
STANDARD = {**WHERE, "mode": "standard"}
SHARED = {
    "network": "projects/host-project/global/networks/shared",
    "subnetwork": "projects/host-project/regions/europe-west1/subnetworks/dbt",
}


def of_google(spec: ClusterSpec) -> Any:
    """The request as google-cloud-container reads it, the way Airflow's operator does: unknown fields are errors."""
    from google.cloud.container_v1.types import Cluster

    return Cluster.from_json(json.dumps(cluster_request(spec)))


def refusal(**values: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        ClusterSpec.model_validate({**WHERE, **values})
    return str(caught.value)


def test_by_default_a_cluster_is_closed() -> None:
    cluster = of_google(ClusterSpec.model_validate(WHERE))
    access = cluster.control_plane_endpoints_config
    assert cluster.autopilot.enabled
    assert cluster.network_config.default_enable_private_nodes
    assert not access.ip_endpoints_config.enable_public_endpoint
    assert access.ip_endpoints_config.authorized_networks_config.enabled
    assert not access.ip_endpoints_config.authorized_networks_config.gcp_public_cidrs_access_enabled
    assert not access.ip_endpoints_config.authorized_networks_config.cidr_blocks
    assert access.dns_endpoint_config.allow_external_traffic


def test_a_standard_cluster_has_the_pool_that_was_asked_for() -> None:
    pool = {"machine_type": "e2-standard-8", "disk_type": "pd-ssd", "disk_size_gb": 80, "spot": True, "node_count": 2}
    spec = ClusterSpec.model_validate({**STANDARD, **pool, "min_nodes": 1, "max_nodes": 5, "zones": ["europe-west1-b"]})
    cluster = of_google(spec)
    (made,) = cluster.node_pools
    assert (made.config.machine_type, made.config.disk_type, made.config.disk_size_gb) == (
        "e2-standard-8",
        "pd-ssd",
        80,
    )
    assert made.config.spot
    assert (made.autoscaling.min_node_count, made.initial_node_count, made.autoscaling.max_node_count) == (1, 2, 5)
    assert cluster.locations == ["europe-west1-b"]
    assert cluster.workload_identity_config.workload_pool == "harbour-123.svc.id.goog"
    assert cluster.release_channel.channel.name == "REGULAR"


def test_ranges_and_labels_reach_the_request() -> None:
    values = {**WHERE, **SHARED, "pod_range_name": "pods", "service_range_name": "services", "labels": {"team": "a"}}
    cluster = of_google(ClusterSpec.model_validate({**values, "control_plane_range": "172.16.0.0/28"}))
    assert cluster.ip_allocation_policy.cluster_secondary_range_name == "pods"
    assert cluster.ip_allocation_policy.services_secondary_range_name == "services"
    assert cluster.private_cluster_config.master_ipv4_cidr_block == "172.16.0.0/28"
    assert dict(cluster.resource_labels) == {"team": "a"}
    assert cluster.subnetwork.endswith("/subnetworks/dbt")


def test_authorised_networks_open_a_public_address_to_them_alone() -> None:
    spec = ClusterSpec.model_validate({**WHERE, "authorised_networks": ["203.0.113.0/24", "198.51.100.7/32"]})
    by_address = of_google(spec).control_plane_endpoints_config.ip_endpoints_config
    assert by_address.enable_public_endpoint
    blocks = [block.cidr_block for block in by_address.authorized_networks_config.cidr_blocks]
    assert blocks == ["203.0.113.0/24", "198.51.100.7/32"]
    assert "--master-authorized-networks=203.0.113.0/24,198.51.100.7/32" in shlex.split(gcloud_command(spec))


def test_the_whole_internet_is_let_in_only_when_said_so() -> None:
    assert "set open_to_internet" in refusal(authorised_networks=["0.0.0.0/0"])
    spec = ClusterSpec.model_validate({**WHERE, "open_to_internet": True})
    assert of_google(spec).control_plane_endpoints_config.ip_endpoints_config.enable_public_endpoint
    assert "--no-enable-master-authorized-networks" in gcloud_command(spec)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"name": "Dbt"}, "name"),
        ({"name": "dbt-"}, "name"),
        ({"name": "a" * 41}, "name"),
        ({"project_id": "12"}, "project_id"),
        ({"location": "europe"}, "location"),
        ({"location": "europe-west1-b"}, "must be a region for autopilot: europe-west1"),
        ({"pod_range": "10.0.0.1/14"}, "write 10.0.0.0/14"),
        ({"pod_range": "10.0.0.0/24"}, "between /9 and /21"),
        ({"pod_range": "10.0.0.0"}, "lacks its prefix length"),
        ({"pod_range": "ten/14"}, "is no network"),
        ({"pod_range": "10.0.0.0/14", "pod_range_name": "pods"}, "exclude each other"),
        ({"pod_range": "10.0.0.0/14", "service_range": "10.3.0.0/20"}, "overlaps service_range 10.3.0.0/20"),
        ({"control_plane_range": "172.16.0.0/27"}, "must have a size of /28"),
        ({"control_plane_range": "172.16.0.0/28", "private_nodes": False}, "for private_nodes only"),
        ({"authorised_networks": ["203.0.113.0/24"], "open_to_internet": True}, "choose one"),
        ({"labels": {"pilothouse-expires": "1"}}, "is set by Pilothouse"),
        ({"labels": {"Team": "a"}}, "labels"),
        ({"subnetwork": "projects/harbour-123/regions/us-east1/subnetworks/s"}, "lies in us-east1"),
        (SHARED, "pod_range_name and service_range_name are needed"),
        ({"machine_type": "n2-standard-4"}, "machine_type is for mode standard"),
        ({"mode": "standard", "node_count": 9}, "not within min_nodes and max_nodes"),
        ({"mode": "standard", "autoscaling": False, "node_count": 0}, "at least 1"),
        ({"mode": "standard", "zones": ["us-east1-b"]}, "is no zone of europe-west1"),
        ({"mode": "standard", "location": "europe-west1-b", "zones": ["europe-west1-b"]}, "for a cluster of a region"),
        ({"mode": "standard", "machine_type": "big; rm"}, "machine_type"),
        ({"nodes": 3}, "nodes"),
    ],
)
def test_what_google_would_refuse_is_refused_here(values: dict[str, Any], told: str) -> None:
    assert told in refusal(**values)


def test_the_gcloud_command_says_the_same() -> None:
    words = shlex.split(gcloud_command(ClusterSpec.model_validate({**STANDARD, "spot": True, "labels": {"team": "a"}})))
    assert words[:5] == ["gcloud", "container", "clusters", "create", "dbt"]
    assert {"--project=harbour-123", "--location=europe-west1", "--spot", "--labels=team=a"} <= set(words)
    assert {"--enable-private-nodes", "--enable-dns-access", "--enable-private-endpoint"} <= set(words)
    assert {"--enable-autoscaling", "--min-nodes=0", "--max-nodes=3", "--num-nodes=1"} <= set(words)


def test_a_cluster_of_a_run_carries_who_and_until_when() -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    label = run_label_of("pilothouse__shop", "console__1")
    labels = marks(run_label=label, project="shop", expires_at=until)
    assert expires_at(labels) == until
    assert expires_at({"pilothouse-expires": "soon"}) is None
    name = ephemeral_name("a_project_with_quite_a_long_name_indeed", label)
    assert ClusterSpec.model_validate({**WHERE, "name": name}).name == name
    assert ClusterSpec.model_validate(WHERE).mode is ClusterMode.AUTOPILOT
