"""The history: filters from the URL, paging in SQL, and the empty states."""

from urllib.parse import quote

import pandas as pd
from streamlit.testing.v1 import AppTest

from models.run import Trigger
from models.run_state import NodeStatus, RunState
from services.runs import saved_views
from tests.pages import seeded
from tests.pages.conftest import OpenPage


def table(page: AppTest) -> pd.DataFrame:
    return page.dataframe[0].value


def test_no_run_at_all_offers_a_launch(open_page: OpenPage) -> None:
    seeded.healthy()
    page = open_page("runs")
    assert not page.exception
    assert any("Nothing has run yet" in each.value for each in page.markdown)


def test_three_kinds_of_nothing_are_told_apart(open_page: OpenPage) -> None:
    assert any("the collector is not running" in each.value for each in open_page("runs").markdown)
    seeded.healthy()
    assert any("A project comes first" in each.value for each in open_page("runs").markdown)
    seeded.project("shop")
    assert any("Launch a project" in each.value for each in open_page("runs").markdown)
    seeded.run("shop", by="anna", minutes_ago=60 * 24 * 3)
    page = open_page("runs", who="anna", when="Last hour")
    assert any("No run matches" in each.value for each in page.markdown)
    dearer, useless = (button for button in page.button if button.label.startswith("Without"))
    assert "Launched by: anna”: 0 runs" in dearer.label.replace("\\", "")
    assert dearer.disabled
    useless.click().run()
    assert len(table(page)) == 1


def test_newest_first_forty_a_page(open_page: OpenPage) -> None:
    made = [seeded.id_of(seeded.run(minutes_ago=100 - number)) for number in range(60)]
    page = open_page("runs")
    assert not page.exception
    assert list(table(page)["Run"]) == [f"Open {number}" for number in sorted(made, reverse=True)[:40]]
    assert list(table(open_page("runs", page="2"))["Run"]) == [
        f"Open {number}" for number in sorted(made, reverse=True)[40:]
    ]


def test_a_link_with_filters_opens_filtered(open_page: OpenPage) -> None:
    seeded.run("shop", state=RunState.FAILED)
    seeded.run("shop", state=RunState.SUCCEEDED)
    seeded.run("harbour", state=RunState.FAILED, by="ben")
    page = open_page("runs", state="Failed", project="shop")
    assert list(table(page)["Project"]) == ["shop"]
    assert [cell[0] for cell in table(page)["State"]] == ["✖ Failed"]


def test_filters_join_and_can_be_cleared(open_page: OpenPage) -> None:
    seeded.run("shop", by="anna")
    seeded.run("shop", by="ben", minutes_ago=60 * 24 * 3)
    page = open_page("runs")
    page.multiselect(key="who").set_value(["ben"]).run()
    assert list(table(page)["Launched by"]) == ["ben"]
    page.selectbox(key="when").set_value("Last 24 hours").run()
    assert any("No run matches" in each.value for each in page.markdown)
    next(button for button in page.button if button.label == "Clear filters").click().run()
    assert len(table(page)) == 2


def test_a_changed_filter_goes_back_to_the_first_page(open_page: OpenPage) -> None:
    for number in range(60):
        seeded.run("shop" if number else "harbour", minutes_ago=number + 1)
    page = open_page("runs", page="2")
    page.multiselect(key="project").set_value(["harbour"]).run()
    assert not page.exception
    assert len(table(page)) == 1


def test_a_state_that_does_not_exist_is_ignored(open_page: OpenPage) -> None:
    seeded.run()
    page = open_page("runs", state="Exploded")
    assert not page.exception
    assert len(table(page)) == 1


def test_figures_stand_above_the_table_and_more_behind_tabs(open_page: OpenPage) -> None:
    seeded.project("shop")
    for number in range(4):
        made = seeded.run("shop", state=RunState.FAILED if number == 3 else RunState.SUCCEEDED, minutes_ago=10 - number)
        seeded.filled(made, statuses=seeded.HALF_FAILED)
    page = open_page("runs")
    assert [(each.label, each.value) for each in page.metric][:2] == [("Runs", "4"), ("Success rate", "75%")]
    assert (page.metric[-1].label, page.metric[-1].value) == ("Failing now", "1 project")
    assert any("Failing now: **shop**" in each.value for each in page.caption)
    shown = {"Trends": {"Durations"}, "Nodes": {"Slowest nodes", "Most often failing", "Flaky tests"}}
    for tab, titles in {**shown, "Operators": {"Operators", "The same work on different operators"}}.items():
        page = open_page("runs", tab=tab)
        assert not page.exception
        assert titles <= {each.value for each in page.header}


def test_presets_are_filters_in_the_address(open_page: OpenPage) -> None:
    seeded.run("shop", state=RunState.FAILED)
    seeded.run("shop", state=RunState.FAILED, minutes_ago=60 * 24 * 3)
    page = open_page("runs")
    next(button for button in page.button if button.label == "Failed today").click().run()
    assert not page.exception
    assert len(table(page)) == 1
    assert (page.query_params["state"], page.query_params["when"]) == ("Failed", "Today")


def test_a_search_is_in_the_address(open_page: OpenPage) -> None:
    seeded.run("shop", by="ben")
    seeded.run("shop", by="anna")
    page = open_page("runs", q="ben")
    assert list(table(page)["Launched by"]) == ["ben"]


def test_a_row_offers_what_its_state_allows(open_page: OpenPage) -> None:
    seeded.run("shop", state=RunState.RUNNING, minutes_ago=1)
    seeded.run("shop", state=RunState.FAILED, minutes_ago=2)
    live, failed = [" ".join(cell) for cell in table(open_page("runs"))["Do"]]
    assert "Cancel" in live
    assert "Run again" not in live
    assert "Retry from failure" in failed
    assert "Copy link" in failed
    assert "Cancel" not in failed


def test_a_run_that_airflow_has_links_to_its_page_there(open_page: OpenPage) -> None:
    made = seeded.run("shop")
    assert list(table(open_page("runs"))["Airflow"]) == [
        f"http://127.0.0.1:9/dags/pilothouse__shop/runs/{quote(made.dag_run_id, safe='')}"
    ]


def test_the_trigger_is_a_filter(open_page: OpenPage) -> None:
    seeded.run("shop", trigger=Trigger.SCHEDULE, by=None)
    seeded.run("shop")
    assert list(table(open_page("runs", how="schedule"))["How"]) == ["schedule"]


def test_a_view_is_saved_opened_by_its_address_and_named(open_page: OpenPage) -> None:
    seeded.run("shop", state=RunState.FAILED)
    seeded.run("harbour", state=RunState.FAILED)
    view = saved_views.save_view("Broken shops", {"state": ["Failed"], "project": ["shop"]}, by="ben")
    page = open_page("runs", view=str(view.id))
    assert not page.exception
    assert list(table(page)["Project"]) == ["shop"]
    assert (page.query_params["state"], page.query_params["project"]) == ("Failed", "shop")
    assert "view" not in page.query_params
    assert page.menu_button[0].label == "Broken shops"
    gone = open_page("runs", view="999")
    assert "There is no saved view 999" in gone.warning[0].value
    assert len(table(gone)) == 2


def test_a_view_whose_words_are_gone_still_opens(open_page: OpenPage) -> None:
    seeded.run("shop")
    view = saved_views.save_view("Old", {"project": ["long gone"], "when": "Since the flood", "q": "shop"}, by="ben")
    page = open_page("runs", view=str(view.id))
    assert not page.exception
    assert len(table(page)) == 1


def test_two_runs_side_by_side(open_page: OpenPage) -> None:
    before, after = seeded.run("shop", minutes_ago=9), seeded.run("shop", state=RunState.FAILED, minutes_ago=5)
    seeded.filled(before, statuses=dict.fromkeys(seeded.HALF_FAILED, NodeStatus.SUCCESS))
    seeded.filled(after, statuses=seeded.HALF_FAILED)
    page = open_page("compare", runs=f"{after.id}-{before.id}")
    assert not page.exception
    facts, *_, nodes = (each.value for each in page.dataframe)
    assert list(facts["What"]) == ["State"]
    assert nodes["Node"].iloc[0] != ""
    assert f"Run {before.id}" in nodes.columns
    assert "names no two runs" in open_page("compare", runs="nonsense").warning[0].value
    assert "There is no run" in open_page("compare", runs="1-999").warning[0].value
