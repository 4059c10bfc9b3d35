from datetime import timedelta

import streamlit as st
from streamlit.testing.v1 import AppTest

from contracts.operators import OperatorName
from models.run import Run
from models.run_state import RunState
from models.types import now
from services import clusters, projects
from services.database import session
from services.projects import ProjectDraft
from services.settings import settings
from tests.pages.conftest import OpenPage


def field(page: AppTest, kind: str, name: str, form: str = "copy_") -> object:
    return getattr(page, kind)(key=f"project_form_{form}_{name}")


def press(page: AppTest, label: str) -> AppTest:
    [button] = [each for each in page.button if each.label == label]
    return button.click().run()


def told(page: AppTest) -> str:
    return "\n".join(each.value for each in page.markdown)


def text(page: AppTest, name: str, value: str, form: str = "copy_") -> None:
    page.text_input(key=f"project_form_{form}_{name}").set_value(value)


def test_a_project_is_created_and_its_steps_are_shown(open_page: OpenPage) -> None:
    page = open_page("new_project")
    text(page, "name", "shop")
    text(page, "owner", "anna")
    page = press(page, "Create project")
    assert not page.exception
    assert projects.get_project("shop").owner == "anna"
    assert "Source ready" in told(page)


def test_each_problem_stands_beside_its_field_and_what_was_typed_stays(open_page: OpenPage) -> None:
    page = open_page("new_project")
    text(page, "name", "a; touch x")
    text(page, "schedule", "61 * * * *")
    page = press(page, "Create project")
    assert "lower\\-case letters" in told(page)
    assert "not a cron expression" in told(page)
    assert "2 fields need" in page.warning[0].value
    assert page.text_input(key="project_form_copy__name").value == "a; touch x"
    assert projects.list_projects() == []


def test_a_problem_goes_when_its_field_is_right(open_page: OpenPage) -> None:
    page = open_page("new_project")
    text(page, "name", "Shop")
    page = press(page, "Create project")
    text(page, "name", "shop")
    page.run()
    assert "lower\\-case letters" not in told(page)
    assert not page.warning


def test_a_name_that_is_taken_is_told_beside_the_name(open_page: OpenPage) -> None:
    projects.create(ProjectDraft(name="shop", owner="anna"), by="anna")
    page = open_page("new_project")
    text(page, "name", "shop")
    page = press(page, "Create project")
    assert "There is a project 'shop' already" in told(page)


def test_the_schedule_is_told_in_words_with_its_next_runs(open_page: OpenPage) -> None:
    page = open_page("new_project")
    text(page, "schedule", "30 6 * * 1")
    page.run()
    assert "At 06\\:30, only on Monday" in told(page)
    [following] = [each.value for each in page.caption if each.value.startswith("Next runs")]
    assert following.count("Mon ") == 5


def test_each_kind_of_source_has_its_fields(open_page: OpenPage) -> None:
    page = open_page("new_project")
    page.segmented_control(key="project_form_copy__kind").set_value("A git repository").run()
    labels = [each.label for each in page.text_input]
    assert {"Repository", "Branch", "Subfolder"} <= set(labels)
    page = press(page, "Create project")
    assert "Name the repository" in told(page)
    page.segmented_control(key="project_form_copy__kind").set_value("A folder").run()
    assert "Folder" in [each.label for each in page.text_input]


def test_an_upload_is_kept_with_the_project_and_its_problems_stand_beside_it(open_page: OpenPage) -> None:
    page = open_page("new_project")
    text(page, "name", "shop")
    text(page, "owner", "anna")
    page.segmented_control(key="project_form_copy__kind").set_value("An upload").run()
    page = press(page, "Create project")
    assert "Choose a zip or tar\\.gz archive" in told(page)
    page.file_uploader(key="project_form_copy__archive").upload("shop.zip", b"#!/bin/sh").run()
    assert "neither a zip nor a tar\\.gz" in told(page)
    page.file_uploader(key="project_form_copy__archive").upload("o'brien <b>.zip", b"PK and so on").run()
    page = press(page, "Create project")
    assert not page.exception
    source = projects.get_project("shop").source
    assert (source["kind"], source["filename"]) == ("upload", "o'brien <b>.zip")
    assert (settings().data / "uploads" / source["sha256"]).read_bytes() == b"PK and so on"
    page = open_page("new_project", project="shop")
    assert any("Now: o'brien" in each.value for each in page.caption)
    press(page, "Save changes")
    assert projects.get_project("shop").source == source


def test_the_operators_are_described_by_words_and_by_what_was_measured_here(open_page: OpenPage) -> None:
    page = open_page("new_project")
    captions = "\n".join(each.value for each in page.caption)
    assert captions.count("**Cost**") == captions.count("**Google Cloud**") == 3
    assert captions.count("Nothing yet") == 3
    _finished_run("kubernetes", waited=12, lasted=30)
    st.cache_data.clear()
    captions = "\n".join(each.value for each in open_page("new_project").caption)
    assert "12 s from launch until dbt starts, 30 s a run: medians of 1 run of the last 90 days." in captions
    assert captions.count("Nothing yet") == 2


def _finished_run(operator: str, *, waited: float, lasted: float) -> None:
    created = now() - timedelta(days=1)
    started = created + timedelta(seconds=waited)
    run = Run(
        project="shop", dag_id="d", dag_run_id="r", operator=OperatorName(operator), command="build",
        state=RunState.SUCCEEDED, created_at=created, started_at=started, collected=True,
        finished_at=started + timedelta(seconds=lasted),
    )  # fmt: skip
    with session() as opened:
        opened.add(run)


def test_a_gke_project_says_what_is_wrong_beside_each_field(open_page: OpenPage) -> None:
    page = open_page("new_project")
    page.segmented_control(key="project_form_copy__operator").set_value(OperatorName.GKE).run()
    page = press(page, "Create project")
    problems = told(page)
    assert "a project's id has 6 to 30" in problems
    assert "name a region such as" in problems


def test_a_gke_project_whose_runs_make_their_cluster_is_saved_as_it_was_filled_in(open_page: OpenPage) -> None:
    page = open_page("new_project")
    text(page, "name", "shop")
    text(page, "owner", "anna")
    page.segmented_control(key="project_form_copy__operator").set_value(OperatorName.GKE).run()
    for label, value in (("Google project", "harbour-prod"), ("Location", "europe-west1-b")):
        next(each for each in page.text_input if each.label == label).set_value(value)
    next(each for each in page.selectbox if each.label == "Cluster").set_value("ephemeral").run()
    assert not any(each.label == "Cluster's name" for each in page.text_input)
    next(each for each in page.text_area if each.label == "New cluster").set_value("mode: standard\nspot: true")
    next(each for each in page.checkbox if each.label == "By its internal address").check()
    page = press(page, "Create project")
    assert not page.exception
    saved = projects.get_project("shop").operator_parameters
    assert saved["new_cluster"] == {"mode": "standard", "spot": True}
    assert (saved["cluster_mode"], saved["cluster_name"], saved["use_internal_ip"]) == ("ephemeral", None, True)
    assert "{dbt}" in saved["arguments"], "what nobody touched keeps its default"


def test_an_edit_starts_from_what_is_saved_and_keeps_the_name(open_page: OpenPage) -> None:
    projects.create(ProjectDraft(name="shop", owner="O'Brien", schedule="@daily", retries=3), by="anna")
    page = open_page("new_project", project="shop")
    assert page.title[0].value == "Edit shop"
    assert page.text_input(key="project_form_shop_name").disabled
    assert page.text_input(key="project_form_shop_owner").value == "O'Brien"
    assert page.number_input(key="project_form_shop_retries").value == 3
    text(page, "schedule", "@hourly", form="shop")
    press(page, "Save changes")
    assert projects.get_project("shop").schedule == "@hourly"


def test_a_copy_asks_for_a_name_of_its_own(open_page: OpenPage) -> None:
    projects.create(ProjectDraft(name="shop", owner="anna", description="books"), by="anna")
    page = open_page("new_project", copy="shop")
    assert page.text_input(key="project_form_copy_shop_name").value == "shop_copy"
    press(page, "Create project")
    assert projects.get_project("shop_copy").description == "books"


def test_a_project_that_is_not_there_is_told(open_page: OpenPage) -> None:
    page = open_page("new_project", project="gone")
    assert "no project" in page.warning[0].value


def _badges(page: AppTest) -> str:
    return "\n".join(str(each.proto) for each in page.get("badge")) if page.get("badge") else ""


def test_a_known_cluster_fills_in_where_a_kubernetes_project_runs(open_page: OpenPage) -> None:
    clusters.register("main", kubeconfig="/no/such/kubeconfig", context=None, by=settings().user)
    projects.create(ProjectDraft(name="shop", owner="anna", operator=OperatorName.KUBERNETES), by="anna")
    page = open_page("new_project", project="shop")
    assert not page.exception
    page = press(page, "Use it")
    assert not page.exception
    assert page.text_input(key="project_form_shop_parameter_kubernetes_cluster_1").value == "main"
