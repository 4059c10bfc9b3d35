"""The Google part of the clusters page and the form of a new cluster, on the stand-in."""

from typing import TYPE_CHECKING, Any

import pytest
from streamlit.testing.v1 import AppTest

from contracts.gke.clusters import ClusterSpec
from contracts.gke.names import ClusterAddress, marks
from contracts.names import run_label_of
from contracts.operators import OperatorName
from models.google import OperationState
from models.types import now
from services import google as gke
from services import projects
from services.settings import settings
from tests.google.fixtures import google  # noqa: F401
from tests.pages import seeded
from tests.pages.conftest import OpenPage

if TYPE_CHECKING:
    from tests.google.stand_in import GoogleStandIn

PROJECT = "pilothouse-test"
DBT = ClusterAddress(PROJECT, "europe-west1", "dbt")


@pytest.fixture(autouse=True)
def project(store: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_GOOGLE_PROJECTS", PROJECT)
    settings.cache_clear()


def text_of(page: AppTest) -> str:
    found: list[Any] = [*page.markdown, *page.caption, *page.warning, *page.info, *page.error, *page.header]
    return "\n".join(str(each.value) for each in [*found, *page.code, *page.success]).replace("\\", "")


def press(page: AppTest, label: str) -> AppTest:
    [button] = [each for each in page.button if each.label == label]
    return button.click().run()


def table(page: AppTest) -> list[dict[Any, Any]]:
    return page.dataframe(key="google_clusters").value.to_dict("records")


def test_without_a_project_the_page_says_how_to_set_it_up(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PILOTHOUSE_GOOGLE_PROJECTS")
    settings.cache_clear()
    assert "PILOTHOUSE_GOOGLE_PROJECTS" in text_of(open_page("clusters", tab="Google"))
    assert "No Google project is configured" in text_of(open_page("new_cluster"))


def test_nothing_known_nothing_there_no_credentials_and_no_answer_are_four_things(
    open_page: OpenPage,
    google: "GoogleStandIn",  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = open_page("clusters", tab="Google")
    assert "has not been listed yet" in text_of(page)
    assert google.plane.calls == []
    page = press(page, "Refresh")
    assert "No cluster yet" in text_of(page)
    google.plane.add_cluster(PROJECT, "europe-west1", "dbt")
    page = press(page, "Refresh")
    assert [row["Cluster"] for row in table(page)] == ["dbt"]
    google.stop()
    page = press(page, "Refresh")
    assert "Google cannot be reached" in text_of(page)
    assert "What is below was listed" in text_of(page)
    assert [row["Cluster"] for row in table(page)] == ["dbt"]
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/no/such/file")
    page = press(page, "Refresh")
    assert "no credentials for Google" in text_of(page)
    assert "gcloud auth application-default login" in text_of(page)


def test_the_api_that_is_off_is_told_in_googles_words(
    open_page: OpenPage,
    google: "GoogleStandIn",  # noqa: F811
) -> None:
    google.plane.disable_api(PROJECT)
    page = press(open_page("clusters", tab="Google"), "Refresh")
    assert "Kubernetes Engine API has not been used in project" in text_of(page)
    assert "gcloud services enable container.googleapis.com" in text_of(page)


def test_a_cluster_of_a_run_says_which_and_until_when(
    open_page: OpenPage,
    google: "GoogleStandIn",  # noqa: F811
) -> None:
    from google.cloud.container_v1 import types

    run = seeded.run(operator=OperatorName.GKE)
    labels = marks(run_label=run_label_of(run.dag_id, run.dag_run_id), project="shop", expires_at=now())
    google.plane.add_cluster(PROJECT, "europe-west1", "stays")
    made = types.Cluster(name="dbt", autopilot=types.Autopilot(enabled=True), resource_labels=labels)
    google.plane.add_cluster(PROJECT, "europe-west1", made)
    gke.refresh()
    asked = len(google.plane.calls)
    page = open_page("clusters", tab="Google", cluster=DBT.path)
    assert not page.exception
    assert len(google.plane.calls) == asked
    of_run, stays = table(page)
    assert (of_run["Cluster"], of_run["Made for"]) == ("dbt", f"run {run.id}")
    assert stays["Deleted at the latest"] == "stays"
    text = text_of(page)
    assert "1 of them made for a run" in text
    assert "its time is over" in text
    assert "gcloud container clusters get-credentials dbt" in text
    assert "DNS endpoint" in text


def test_an_operation_is_followed_and_a_failed_one_says_why(
    open_page: OpenPage,
    google: "GoogleStandIn",  # noqa: F811
) -> None:
    from services.google.control_plane import control_plane
    from services.google.operations import follow
    from tests.google import errors
    from tests.google.operations import Kind

    google.plane.hold(Kind.CREATE_CLUSTER)
    google.plane.create_seconds = 0
    google.plane.fail_operation(Kind.CREATE_CLUSTER, errors.quota_exceeded())
    operation = gke.create(ClusterSpec(project_id=PROJECT, location="europe-west1", name="dbt"), by=settings().user)
    page = open_page("clusters", tab="Google")
    assert "Creating dbt" in text_of(page)
    assert page.get("progress")
    google.plane.release()
    with control_plane() as plane:
        assert follow(plane, operation)
    gke.refresh()
    page = open_page("clusters", tab="Google")
    assert "Creating dbt failed" in text_of(page)
    assert "Insufficient regional quota" in text_of(page)
    assert "Ask for more quota" in text_of(page)
    assert "delete it before you create it again" in text_of(page)


def test_who_may_not_change_clusters_looks_only(
    open_page: OpenPage,
    google: "GoogleStandIn",  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PILOTHOUSE_CLUSTER_ADMINS", "somebody-else")
    settings.cache_clear()
    google.plane.add_cluster(PROJECT, "europe-west1", "dbt")
    gke.refresh()
    page = open_page("clusters", tab="Google", cluster=DBT.path)
    [create] = [each for each in page.button if each.label == "Create a cluster"]
    assert create.disabled
    assert "Delete" not in [each.label for each in page.button]
    assert "You may look at clusters" in text_of(open_page("new_cluster"))


def test_a_cluster_is_created_from_the_form_after_a_review(
    open_page: OpenPage,
    google: "GoogleStandIn",  # noqa: F811
) -> None:
    page = open_page("new_cluster")
    page.text_input(key="gke_location").set_value("europe-west1")
    page.text_input(key="gke_name").set_value("dbt")
    page.segmented_control(key="gke_mode").set_value("Standard")
    page = page.run()
    page.text_area(key="gke_authorised_networks").set_value("203.0.113.0/24\n198.51.100.7/32")
    page.text_area(key="gke_labels").set_value("team=finance")
    page.toggle(key="gke_spot").set_value(True)
    page = press(page.run(), "Review")
    text = text_of(page)
    assert "gcloud container clusters create dbt" in text
    assert "--project=pilothouse-test" in text
    assert '"machine_type": "e2-standard-2"' in text
    assert "that only 203.0.113.0/24, 198.51.100.7/32 can reach" in text
    assert "It starts with 3 machines of type e2-standard-2, growing to 9" in text
    assert google.plane.calls == []
    page = press(page, "Create cluster")
    assert not page.exception
    (cluster,) = google.plane.clusters.values()
    assert dict(cluster.resource_labels) == {"team": "finance"}
    assert cluster.node_pools[0].config.spot
    assert gke.recent_operations()[0].state is OperationState.RUNNING


def test_what_is_wrong_stands_at_its_field_and_nothing_is_sent_or_lost(
    open_page: OpenPage,
    google: "GoogleStandIn",  # noqa: F811
) -> None:
    page = open_page("new_cluster")
    page.text_input(key="gke_location").set_value("europe-west1-b")
    page.text_input(key="gke_name").set_value("My cluster")
    page.text_area(key="gke_authorised_networks").set_value("0.0.0.0/0")
    page = press(page.run(), "Review")
    text = text_of(page)
    assert "At most 40 lower-case letters" in text
    assert "“Open to the internet”" in text
    assert "2 fields need your attention" in text
    assert "Create cluster" not in [each.label for each in page.button]
    assert page.text_input(key="gke_name").value == "My cluster"
    assert google.plane.calls == []


def test_a_refusal_of_googles_stays_on_the_form(
    open_page: OpenPage,
    google: "GoogleStandIn",  # noqa: F811
) -> None:
    google.plane.deny("container.clusters.create")
    page = open_page("new_cluster")
    page.text_input(key="gke_location").set_value("europe-west1")
    page.text_input(key="gke_name").set_value("dbt")
    page = press(press(page.run(), "Review"), "Create cluster")
    assert 'Required "container.clusters.create" permission' in text_of(page)
    assert "roles/container.clusterAdmin" in text_of(page)
    assert page.text_input(key="gke_name").value == "dbt"


def test_a_project_takes_a_cluster_that_is_known_instead_of_typing_where_it_is(
    open_page: OpenPage,
    google: "GoogleStandIn",  # noqa: F811
) -> None:
    google.plane.add_cluster(PROJECT, "europe-west1", "dbt")
    gke.refresh()
    page = open_page("new_project")
    page.segmented_control(key="project_form_copy__operator").set_value(OperatorName.GKE).run()
    known = page.selectbox(key="project_form_copy__parameter_gke_known_cluster")
    assert known.options == [f"dbt · europe-west1 · {PROJECT}"]
    page = page.button(key="project_form_copy__parameter_gke_use_cluster").click().run()
    assert not page.exception
    held = {each.label: each.value for each in page.text_input}
    assert (held["Google project"], held["Location"], held["Cluster's name"]) == (PROJECT, "europe-west1", "dbt")


def test_a_project_on_a_cluster_that_exists_can_be_saved_from_the_form(open_page: OpenPage) -> None:
    """What an ephemeral cluster is made of is not asked then, and must not be missed."""
    page = open_page("new_project")
    page.text_input(key="project_form_copy__name").set_value("harbour")
    page = page.segmented_control(key="project_form_copy__operator").set_value(OperatorName.GKE).run()
    held = {"Google project": PROJECT, "Location": "europe-west1", "Cluster's name": "dbt", "Image": "dbt:1"}
    for field in page.text_input:
        if field.label in held:
            field.set_value(held[field.label])
    page = press(page.run(), "Create project")
    assert not page.exception
    assert "attention" not in text_of(page)
    assert projects.get_project("harbour").operator_parameters["cluster_name"] == "dbt"
