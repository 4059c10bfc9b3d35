"""The stand-in behaves as Google does towards Google's own clients."""

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.google.stand_in import GoogleStandIn

PARENT = "projects/pilothouse-test/locations/europe-west1"
NAME = f"{PARENT}/clusters/dbt"


@pytest.fixture(params=["grpc", "rest"])
def client(google: "GoogleStandIn", request: pytest.FixtureRequest) -> Any:
    """Google's own client, set up by environment alone."""
    from google.cloud.container_v1 import ClusterManagerClient

    return ClusterManagerClient(transport=request.param)


def done(client: Any, operation: Any) -> Any:
    deadline = time.monotonic() + 20
    while operation.status.name != "DONE":
        assert time.monotonic() < deadline
        time.sleep(0.05)
        operation = client.get_operation(name=f"{PARENT}/operations/{operation.name}")
    return operation


def test_a_cluster_is_made_listed_and_deleted(client: Any, google: "GoogleStandIn") -> None:
    started = client.create_cluster(
        parent=PARENT, cluster={"name": "dbt", "initial_node_count": 2, "resource_labels": {"team": "a"}}
    )
    assert client.get_cluster(name=NAME).status.name == "PROVISIONING"
    assert started.progress.metrics[0].name == "CLUSTER_CONFIGURING"
    assert not done(client, started).error.message
    everywhere = client.list_clusters(parent="projects/pilothouse-test/locations/-")
    [cluster] = everywhere.clusters
    assert (cluster.name, cluster.status.name, cluster.location) == ("dbt", "RUNNING", "europe-west1")
    assert cluster.node_pools[0].config.machine_type == "e2-medium"
    assert cluster.resource_labels == {"team": "a"}
    done(client, client.delete_cluster(name=NAME))
    assert not google.plane.clusters


def test_node_pools_come_and_go(client: Any, google: "GoogleStandIn") -> None:
    google.plane.add_cluster("pilothouse-test", "europe-west1", "dbt")
    done(client, client.create_node_pool(parent=NAME, node_pool={"name": "big", "initial_node_count": 1}))
    assert [pool.name for pool in client.list_node_pools(parent=NAME).node_pools] == ["default-pool", "big"]
    done(client, client.delete_node_pool(name=f"{NAME}/nodePools/big"))
    assert [pool.name for pool in client.list_node_pools(parent=NAME).node_pools] == ["default-pool"]


def test_refusals_have_googles_codes_words_and_details(client: Any, google: "GoogleStandIn") -> None:
    from google.api_core import exceptions

    from tests.google import errors

    with pytest.raises(exceptions.NotFound, match="Not found: projects/pilothouse-test"):
        client.get_cluster(name=NAME)
    google.plane.add_cluster("pilothouse-test", "europe-west1", "dbt")
    body = {"name": "dbt", "initial_node_count": 1}
    with pytest.raises((exceptions.AlreadyExists, exceptions.Conflict), match="Already exists"):
        client.create_cluster(parent=PARENT, cluster=body)
    google.plane.deny("container.clusters.create")
    with pytest.raises((exceptions.PermissionDenied, exceptions.Forbidden), match=r"container\.clusters\.create"):
        client.create_cluster(parent=PARENT, cluster=body)
    google.plane.allow("container.clusters.create")
    google.plane.refuse("CreateCluster", errors.quota_exceeded())
    with pytest.raises((exceptions.ResourceExhausted, exceptions.TooManyRequests), match="Insufficient regional quota"):
        client.create_cluster(parent=PARENT, cluster=body)
    google.plane.disable_api("pilothouse-test")
    with pytest.raises((exceptions.PermissionDenied, exceptions.Forbidden)) as caught:
        client.list_clusters(parent="projects/pilothouse-test/locations/-")
    assert caught.value.reason == "SERVICE_DISABLED"
    assert caught.value.metadata["service"] == "container.googleapis.com"


def test_an_operation_may_be_slow_and_may_fail(client: Any, google: "GoogleStandIn") -> None:
    from google.api_core import exceptions

    from tests.google import errors
    from tests.google.operations import Kind

    google.plane.hold(Kind.CREATE_CLUSTER)
    google.plane.fail_operation(Kind.CREATE_CLUSTER, errors.quota_exceeded())
    operation = client.create_cluster(parent=PARENT, cluster={"name": "dbt", "autopilot": {"enabled": True}})
    with pytest.raises((exceptions.FailedPrecondition, exceptions.BadRequest), match="currently creating cluster dbt"):
        client.delete_cluster(name=NAME)
    google.plane.release()
    ended = done(client, operation)
    assert "Insufficient regional quota" in ended.error.message
    cluster = client.get_cluster(name=NAME)
    assert (cluster.status.name, cluster.status_message) == ("ERROR", ended.error.message)


def test_a_key_file_a_node_and_an_impersonated_account_get_tokens(google: "GoogleStandIn") -> None:
    from google.auth import compute_engine, default, exceptions, impersonated_credentials
    from google.auth.transport.requests import Request

    scopes = ["https://www.googleapis.com/auth/cloud-platform"]
    from_key, project = default(scopes=scopes)
    from_key.refresh(Request())
    node = compute_engine.Credentials()
    node.refresh(Request())
    target = "dbt@pilothouse-test.iam.gserviceaccount.com"
    other = impersonated_credentials.Credentials(from_key, target, scopes)
    with pytest.raises(exceptions.RefreshError, match=r"iam\.serviceAccounts\.getAccessToken"):
        other.refresh(Request())
    google.identities.impersonable.add(target)
    other.refresh(Request())
    assert project == google.project
    assert from_key.token == node.token == other.token == google.identities.token
