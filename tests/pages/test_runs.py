"""The history: filters from the URL, paging in SQL, and the empty states."""

import pandas as pd
from streamlit.testing.v1 import AppTest

from models.run_state import NodeStatus, RunState
from tests.pages import seeded
from tests.pages.conftest import OpenPage


def table(page: AppTest) -> pd.DataFrame:
    return page.dataframe[0].value


def test_no_run_at_all_offers_a_launch(open_page: OpenPage) -> None:
    page = open_page("runs")
    assert not page.exception
    assert "Nothing has run yet" in page.info[0].value


def test_newest_first_fifty_a_page(open_page: OpenPage) -> None:
    made = [seeded.id_of(seeded.run(minutes_ago=100 - number)) for number in range(60)]
    page = open_page("runs")
    assert not page.exception
    assert list(table(page)["Run"]) == [f"Open {number}" for number in sorted(made, reverse=True)[:50]]
    assert list(table(open_page("runs", page="2"))["Run"]) == [
        f"Open {number}" for number in sorted(made, reverse=True)[50:]
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
    assert "No run matches" in page.info[0].value
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


def test_figures_stand_above_the_table_and_trends_behind_a_tab(open_page: OpenPage) -> None:
    for number in range(4):
        made = seeded.run("shop", state=RunState.FAILED if number == 3 else RunState.SUCCEEDED, minutes_ago=10 - number)
        seeded.filled(made, statuses=seeded.HALF_FAILED)
    page = open_page("runs")
    assert [(each.label, each.value) for each in page.metric][:2] == [("Runs", "4"), ("Success rate", "75%")]
    assert any("Failing now: **shop**" in each.value for each in page.caption)
    page = open_page("runs", tab="Trends")
    assert not page.exception
    assert {"Durations", "Operators", "Slowest nodes", "Most often failing", "Flaky tests"} <= {
        each.value for each in page.subheader
    }


def test_presets_are_filters_in_the_address(open_page: OpenPage) -> None:
    seeded.run("shop", state=RunState.FAILED)
    seeded.run("shop", state=RunState.FAILED, minutes_ago=60 * 24 * 3)
    page = open_page("runs")
    next(button for button in page.button if button.label == "Failed today").click().run()
    assert not page.exception
    assert len(table(page)) == 1
    assert (page.query_params["state"], page.query_params["when"]) == ("Failed", "Last 24 hours")


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
    assert "Cancel" not in failed


def test_two_runs_side_by_side(open_page: OpenPage) -> None:
    before, after = seeded.run("shop", minutes_ago=9), seeded.run("shop", state=RunState.FAILED, minutes_ago=5)
    seeded.filled(before, statuses=dict.fromkeys(seeded.HALF_FAILED, NodeStatus.SUCCESS))
    seeded.filled(after, statuses=seeded.HALF_FAILED)
    page = open_page("compare", runs=f"{after.id}-{before.id}")
    assert not page.exception
    facts, nodes = (each.value for each in page.dataframe)
    assert list(facts[""]) == ["State"]
    assert nodes["Node"].iloc[0] != ""
    assert f"Run {before.id}" in nodes.columns
    assert "names no two runs" in open_page("compare", runs="nonsense").warning[0].value
    assert "There is no run" in open_page("compare", runs="1-999").warning[0].value
