"""Clusters are made and deleted at Google, followed to their end, and found again whoever was ended in between."""

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from contracts.gke.clusters import ClusterSpec
from contracts.gke.names import ClusterAddress
from contracts.gke.request import cluster_request
from models.google import GoogleOperation, OperationKind, OperationState
from models.types import now
from services import google as gke
from services.database import session
from services.errors import BackendRejected, ConfigurationError, InvalidInput, NotAllowed, NotFound
from services.google import operations, store
from services.settings import settings

if TYPE_CHECKING:
    from services.google.control_plane import ControlPlane
    from tests.google.stand_in import GoogleStandIn

DBT = ClusterAddress("pilothouse-test", "europe-west1", "dbt")


def spec(**values: Any) -> ClusterSpec:
    where = {"project_id": DBT.project_id, "location": DBT.location, "name": DBT.name}
    return ClusterSpec.model_validate({**where, **values})


def newest() -> GoogleOperation:
    return gke.recent_operations()[0]


def until_over(plane: "ControlPlane") -> GoogleOperation:
    deadline = time.monotonic() + 20
    while not newest().state.is_over:
        assert time.monotonic() < deadline
        operations.follow(plane, newest())
        time.sleep(0.05)
    return newest()


def test_a_cluster_is_made_and_deleted_with_its_progress(google: "GoogleStandIn", plane: "ControlPlane") -> None:
    from tests.google.operations import Kind

    google.plane.hold(Kind.CREATE_CLUSTER)
    operation = gke.create(spec(), by="anna")
    assert (operation.state, operation.asked_by) == (OperationState.RUNNING, "anna")
    gke.refresh()
    assert gke.clusters()[0].status == "PROVISIONING"
    google.plane.release()
    done = until_over(plane)
    assert done.state is OperationState.DONE
    assert (done.stages[0]["name"], done.stages[0]["done"]) == ("Configuring", 3)
    gke.refresh()
    (cluster,) = gke.clusters()
    assert (cluster.status, cluster.is_autopilot, cluster.release_channel) == ("RUNNING", True, "regular")
    with pytest.raises(InvalidInput):
        gke.delete(DBT, typed="dbt2", by="anna")
    gke.delete(DBT, typed="dbt", by="anna")
    assert until_over(plane).state is OperationState.DONE
    gke.refresh()
    assert gke.clusters() == []


def test_asking_twice_asks_google_once(google: "GoogleStandIn") -> None:
    from tests.google.operations import Kind

    google.plane.hold(Kind.CREATE_CLUSTER)
    gke.create(spec(), by="anna")
    with pytest.raises(NotAllowed, match="is being created already, asked for by anna"):
        gke.create(spec(), by="anna")
    assert [name for name, _ in google.plane.calls].count("CreateCluster") == 1


def test_only_who_may_change_clusters_asks_for_one(google: "GoogleStandIn") -> None:
    with pytest.raises(NotAllowed):
        gke.create(spec(), by="bert")
    with pytest.raises(NotAllowed):
        gke.delete(DBT, typed="dbt", by="bert")
    assert gke.recent_operations() == []


def test_refusals_keep_googles_words_and_say_what_to_do(google: "GoogleStandIn") -> None:
    from tests.google import errors

    google.plane.deny("container.clusters.create")
    with pytest.raises(BackendRejected, match=r'Required "container\.clusters\.create" permission') as denied:
        gke.create(spec(), by="anna")
    assert "roles/container.clusterAdmin" in (denied.value.hint or "")
    google.plane.allow("container.clusters.create")
    google.plane.refuse("CreateCluster", errors.quota_exceeded())
    with pytest.raises(BackendRejected, match="Insufficient regional quota") as short:
        gke.create(spec(), by="anna")
    assert "Ask for more quota" in (short.value.hint or "")
    google.plane.add_cluster("pilothouse-test", "europe-west1", "dbt")
    with pytest.raises(BackendRejected, match="Already exists") as taken:
        gke.create(spec(), by="anna")
    assert "another name" in (taken.value.hint or "")
    google.plane.disable_api("pilothouse-test")
    with pytest.raises(BackendRejected, match="has not been used in project") as off:
        gke.delete(DBT, typed="dbt", by="anna")
    assert "gcloud services enable" in (off.value.hint or "")
    assert {each.state for each in gke.recent_operations()} == {OperationState.FAILED}
    assert "Insufficient regional quota" in gke.recent_operations()[2].message


def test_deleting_what_is_not_there_says_so(google: "GoogleStandIn") -> None:
    with pytest.raises(NotFound):
        gke.delete(DBT, typed="dbt", by="anna")


def test_an_operation_that_google_accepts_may_still_fail(google: "GoogleStandIn", plane: "ControlPlane") -> None:
    from tests.google import errors
    from tests.google.operations import Kind

    google.plane.fail_operation(Kind.CREATE_CLUSTER, errors.quota_exceeded())
    gke.create(spec(), by="anna")
    failed = until_over(plane)
    assert failed.state is OperationState.FAILED
    assert "Insufficient regional quota" in failed.message
    assert "Ask for more quota" in (failed.hint or "")


def asked(kind: OperationKind) -> None:
    """An operation that was noted a minute ago, by a console that was ended before Google's answer."""
    operation = store.begin(kind, DBT, by="anna")
    with session() as opened:
        row = opened.get_one(GoogleOperation, operation.id)
        row.asked_at = now() - timedelta(seconds=60)
        opened.add(row)


def test_an_operation_whose_answer_was_lost_is_found_at_google(google: "GoogleStandIn", plane: "ControlPlane") -> None:
    asked(OperationKind.CREATE)
    plane.create("pilothouse-test", "europe-west1", cluster_request(spec()))
    assert until_over(plane).state is OperationState.DONE


def test_an_operation_that_google_never_got_ends_failed(google: "GoogleStandIn", plane: "ControlPlane") -> None:
    asked(OperationKind.DELETE)
    assert until_over(plane).message.startswith("Google did not get it")


def test_a_fresh_one_is_left_to_who_asks(google: "GoogleStandIn", plane: "ControlPlane") -> None:
    store.begin(OperationKind.CREATE, DBT, by="anna")
    assert not operations.follow(plane, newest())
    assert newest().state is OperationState.ASKED


def test_an_operation_that_google_has_forgotten_ends_by_what_is_there(
    google: "GoogleStandIn", plane: "ControlPlane"
) -> None:
    from tests.google import errors

    gke.create(spec(), by="anna")
    google.plane.add_cluster("pilothouse-test", "europe-west1", "dbt")
    google.plane.refuse("GetOperation", errors.not_found("operation"))
    assert until_over(plane).message.startswith("Google has forgotten the operation")
    assert newest().state is OperationState.DONE


def test_missing_and_refused_credentials_say_how_to_get_some(
    google: "GoogleStandIn", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTHOUSE_GOOGLE_KEY_FILE", "/no/such/file")
    settings.cache_clear()
    with pytest.raises(ConfigurationError, match="the key file /no/such/file") as missing:
        gke.create(spec(), by="anna")
    assert "gcloud auth application-default login" in (missing.value.hint or "")
    monkeypatch.delenv("PILOTHOUSE_GOOGLE_KEY_FILE")
    monkeypatch.setenv("PILOTHOUSE_GOOGLE_IMPERSONATE", "dbt@pilothouse-test.iam.gserviceaccount.com")
    settings.cache_clear()
    with pytest.raises(ConfigurationError, match=r"iam\.serviceAccounts\.getAccessToken") as refused:
        gke.create(spec(), by="anna")
    assert "Token Creator" in (refused.value.hint or "")
    google.identities.impersonable.add("dbt@pilothouse-test.iam.gserviceaccount.com")
    assert gke.create(spec(), by="anna").state is OperationState.RUNNING
    assert google.identities.asked[-1] == ("impersonation", "dbt@pilothouse-test.iam.gserviceaccount.com")


def test_no_secret_is_kept(google: "GoogleStandIn", plane: "ControlPlane") -> None:
    gke.create(spec(), by="anna")
    until_over(plane)
    gke.refresh()
    database = settings().data / "console.db"
    kept = database.read_bytes() + database.with_name("console.db-wal").read_bytes()
    assert google.identities.token.encode() not in kept
    assert b"PRIVATE KEY" not in kept
