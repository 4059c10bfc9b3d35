from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from contracts.dbt_api import ParsedProject, ParseProblem
from contracts.operators import OperatorName
from models.notification import Occasion
from models.project import ProjectNode, Step, StepState
from models.run_state import NodeStatus, RunState
from services import notifications, projects
from services.database import session
from services.dbt_api import DbtApi
from services.projects import ProjectDraft, store
from services.projects.steps import DoesNotParse
from services.settings import settings
from tests.pages import seeded
from tests.pages.conftest import OpenPage


def text_of(page: AppTest) -> str:
    return "\n".join(each.value for each in [*page.markdown, *page.caption, *page.code, *page.warning, *page.error])


def labels(page: AppTest) -> list[str]:
    return [each.label for each in page.button]


def test_a_finished_project_shows_what_dbt_found(open_page: OpenPage) -> None:
    seeded.project("shop")
    page = open_page("project", name="shop")
    assert not page.exception
    assert {metric.label: metric.value for metric in page.metric} == {
        "Models": "8",
        "Tests": "8",
        "Sources": "1",
        "Seeds": "1",
        "Snapshots": "1",
    }
    assert labels(page).count("Repeat") == 5
    [launch] = [each for each in page.button if each.label == "Launch"]
    assert not launch.disabled


def test_a_failed_step_says_why_and_how_to_go_on(open_page: OpenPage) -> None:
    project = projects.create(ProjectDraft(name="shop", owner="anna"), by="anna")
    for _ in projects.advance("shop"):
        pass
    page = open_page("project", name="shop")
    assert "cannot be reached" in text_of(page)
    assert "Try again from here" in labels(page)
    [launch] = [each for each in page.button if each.label == "Launch"]
    assert launch.disabled
    [again] = [each for each in page.button if each.label == "Try again from here"]
    assert not again.click().run().exception
    assert projects.steps_of(project)[1].step is Step.SOURCE_READY


def test_what_dbt_says_against_a_project_is_shown_with_its_file_and_hint(open_page: OpenPage) -> None:
    project = projects.create(ProjectDraft(name="shop", owner="anna"), by="anna")
    found = ParseProblem(kind="cycle", message="Found a cycle: a --> b", hint="Take a ref away.", file="models/a.sql")
    warning = ParseProblem(kind="warning", message="deprecated")
    error = DoesNotParse(ParsedProject(ok=False, problems=[found, warning]))
    store.begin(project, Step.PARSED, "")
    store.fail(project, Step.PARSED, error, error.detail)
    text = text_of(open_page("project", name="shop"))
    assert "Found a cycle: a --> b" in text
    assert "Take a ref away" in text


def test_a_step_of_a_console_that_died_can_be_repeated(open_page: OpenPage) -> None:
    project = projects.create(ProjectDraft(name="shop", owner="anna"), by="anna")
    store.begin(project, Step.SOURCE_READY, "working")
    page = open_page("project", name="shop")
    assert "Interrupted" in text_of(page)
    assert "Try again from here" in labels(page)


def test_foreign_text_is_shown_as_it_is(open_page: OpenPage) -> None:
    projects.create(ProjectDraft(name="shop", owner="O'Brien", description="**not bold** <b>x</b>"), by="anna")
    text = text_of(open_page("project", name="shop"))
    assert "\\*\\*not bold\\*\\*" in text
    assert "<b>" not in text.replace("\\<b\\>", "")


def table(page: AppTest, column: str) -> list[Any]:
    [found] = [each.value for each in page.dataframe if "Last status" in each.value.columns]
    return list(found[column])


def test_nodes_are_searched_and_show_their_last_result(open_page: OpenPage) -> None:
    seeded.project("shop")
    seeded.filled(seeded.run("shop", minutes_ago=60), statuses={"fct_calls": NodeStatus.SUCCESS})
    seeded.filled(seeded.run("shop", state=RunState.FAILED), statuses=seeded.HALF_FAILED)
    page = open_page("project", name="shop")
    page.text_input(key="search").set_value("FCT_").run()
    page.multiselect(key="types").set_value(["model"]).run()
    assert table(page, "Name") == ["fct_calls", "fct_revenue"]
    assert [status[0] for status in table(page, "Last status")] == ["✖ Error", "» Skipped"]
    page.text_input(key="search").set_value("").run()
    page.multiselect(key="tags").set_value(["nightly"]).run()
    assert table(page, "Name") == ["fct_calls", "fct_revenue"]
    page.text_input(key="search").set_value("no such thing").run()
    assert not page.exception
    assert table(page, "Name") == []


def test_a_node_shows_its_lineage_and_what_became_of_it(open_page: OpenPage) -> None:
    seeded.project("shop")
    run = seeded.run("shop", state=RunState.FAILED)
    seeded.filled(run, statuses=seeded.HALF_FAILED)
    page = open_page("project", name="shop", node="model.shop.fct_calls")
    assert not page.exception
    [graph] = page.get("graphviz_chart")
    assert "fct_calls" in graph.proto.spec
    assert f"Run {run.id}" in [each.proto.label for each in page.get("page_link")]


def test_foreign_text_about_a_node_is_shown_as_it_is_f16(open_page: OpenPage) -> None:
    project = seeded.project("shop")
    with session() as opened:
        assert project.id is not None
        hostile = ProjectNode(
            project_id=project.id,
            unique_id="model.shop.o",
            resource_type="model",
            name="O'Brien <x>",
            description="**b** <script>x</script> größe 船",
            tags=["it's <b>"],
        )
        opened.add(hostile)
    page = open_page("project", name="shop", node="model.shop.o")
    assert not page.exception
    assert "\\*\\*b\\*\\* \\<script\\>" in text_of(page)


def test_the_documentation_is_asked_for_and_its_absence_told(open_page: OpenPage) -> None:
    seeded.project("shop")
    page = open_page("project", name="shop")
    [show] = [each for each in page.button if each.label == "Show the documentation"]
    page = show.click().run()
    assert not page.exception
    assert "cannot be reached to: show the documentation" in text_of(page).replace("\\", "")


def test_the_documentation_is_shown_in_a_frame_without_origin(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DbtApi, "docs_site", lambda _, name: f'<p title="{name}">docs</p>')
    seeded.project("shop")
    page = open_page("project", name="shop")
    [show] = [each for each in page.button if each.label == "Show the documentation"]
    page = show.click().run()
    assert not page.exception
    [frame] = page.get("iframe")
    assert 'sandbox="allow-scripts allow-popups"' in frame.proto.srcdoc
    assert "&lt;p title=&quot;shop&quot;&gt;" in frame.proto.srcdoc
    assert "unused" not in frame.proto.srcdoc, "the token stays in the console"


@pytest.mark.parametrize("query", [{}, {"name": "gone"}, {"name": "../../etc"}])
def test_a_project_that_is_not_there_is_told(open_page: OpenPage, query: dict[str, str]) -> None:
    page = open_page("project", **query)
    assert not page.exception
    assert "There is no project" in text_of(page)


def test_with_airflow_away_pausing_says_so_and_changes_nothing(open_page: OpenPage) -> None:
    seeded.project("shop")
    project = projects.get_project("shop")
    store.finish(project, Step.PUBLISHED, "", {"publication": projects.published(project).model_dump(mode="json")})
    page = open_page("project", name="shop")
    [pause] = [each for each in page.button if each.label == "Pause"]
    page = pause.click().run()
    assert "Cannot reach Airflow" in text_of(page)
    assert not projects.get_project("shop").paused
    assert all(step.state is StepState.DONE for step in projects.steps_of(project))


def test_pausing_is_seen_at_once(open_page: OpenPage) -> None:
    projects.create(ProjectDraft(name="shop", owner="anna"), by="anna")
    page = open_page("project", name="shop")
    [pause] = [each for each in page.button if each.label == "Pause"]
    page = pause.click().run()
    assert projects.get_project("shop").paused
    assert "Resume" in labels(page)


def test_who_may_not_make_clusters_cannot_resume_a_project_whose_runs_do(
    open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = {"project_id": "harbour-prod", "location": "europe-west1", "cluster_mode": "ephemeral"}
    seeded.project("shop", operator=OperatorName.GKE, operator_parameters=where, paused=True)
    for people, disabled in (("", False), ("somebody.else@example.com", True)):
        monkeypatch.setenv("PILOTHOUSE_CLUSTER_ADMINS", people)
        settings.cache_clear()
        [resume] = [each for each in open_page("project", name="shop").button if each.label == "Resume"]
        assert resume.disabled is disabled
    assert "you may not make clusters" in resume.help
    assert "PILOTHOUSE_CLUSTER_ADMINS" in resume.help


def test_in_the_list_a_resume_that_is_refused_says_why(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    where = {"project_id": "harbour-prod", "location": "europe-west1", "cluster_mode": "ephemeral"}
    seeded.project("shop", operator=OperatorName.GKE, operator_parameters=where, paused=True)
    monkeypatch.setenv("PILOTHOUSE_CLUSTER_ADMINS", "somebody.else@example.com")
    settings.cache_clear()
    page = open_page("projects")
    page.menu_button(key="more_shop").click("Resume").run()
    assert "you may not make clusters" in text_of(page)
    assert projects.get_project("shop").paused


def test_without_channels_the_notifications_tab_says_how_to_get_one(open_page: OpenPage) -> None:
    seeded.project("shop")
    page = open_page("project", name="shop", tab="Notifications")
    assert not page.exception
    assert any("There is no channel yet" in each.value for each in page.info)


def test_a_channel_is_added_and_removed(open_page: OpenPage, store: Path) -> None:
    seeded.project("shop")
    (store / "secrets").mkdir()
    (store / "secrets" / "pilothouse_channels.toml").write_text(
        '[channels.team]\nkind = "slack"\nurl = "http://127.0.0.1:9/secret"\n'
    )
    page = open_page("project", name="shop")
    next(each for each in page.button if each.label == "Add").click().run()
    assert not page.exception
    assert "**team** is told when" in text_of(page)
    [chosen] = [each for each in page.pills if each.label == "team is told when"]
    assert chosen.value == ["a run fails", "it is green again"]
    chosen.set_value(["a run is slower than usual"]).run()
    [rule] = notifications.rules_of("shop")
    assert rule.occasions == {Occasion.SLOW}
    next(each for each in page.button if each.label == "Send a test").click().run()
    assert "could not be reached" in text_of(page)
    assert "secret" not in text_of(page)
    next(each for each in page.button if each.label == "Remove").click().run()
    assert "is told when" not in text_of(page)
