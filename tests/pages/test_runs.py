"""The history: filters from the URL, paging in SQL, and the empty states."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from models.run import Run, Trigger
from models.run_state import NodeStatus, RunState
from models.types import now
from services.database import session
from services.runs import saved_views
from tests.pages import seeded
from tests.pages.conftest import OpenPage
from tests.pages.drawn import as_query, data_of, figures, filters_of, rows, states, table_of


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
    assert len(rows(page)) == 1


def test_newest_first_forty_a_page(open_page: OpenPage) -> None:
    made = [seeded.id_of(seeded.run(minutes_ago=100 - number)) for number in range(60)]
    page = open_page("runs")
    assert not page.exception
    assert [row["id"] for row in rows(page)] == sorted(made, reverse=True)[:40]
    assert [row["id"] for row in rows(open_page("runs", page="2"))] == sorted(made, reverse=True)[40:]


@pytest.mark.parametrize("page", ["0", "-1", "x", "²", "9" * 30])
def test_a_page_that_is_no_number_is_the_first(open_page: OpenPage, page: str) -> None:
    made = [seeded.id_of(seeded.run()) for _ in range(2)]
    assert [row["id"] for row in rows(open_page("runs", page=page))] == sorted(made, reverse=True)


def test_a_link_with_filters_opens_filtered(open_page: OpenPage) -> None:
    seeded.run("shop", state=RunState.FAILED)
    seeded.run("shop", state=RunState.SUCCEEDED)
    seeded.run("harbour", state=RunState.FAILED, by="ben")
    page = open_page("runs", state="Failed", project="shop")
    assert [row["project"] for row in rows(page)] == ["shop"]
    assert states(page) == ["Failed"]


def test_filters_join_and_can_be_cleared(open_page: OpenPage) -> None:
    seeded.run("shop", by="anna")
    seeded.run("shop", by="ben", minutes_ago=60 * 24 * 3)
    page = open_page("runs")
    page.multiselect(key="who").set_value(["ben"]).run()
    assert [row["by"] for row in rows(page)] == ["ben"]
    page.selectbox(key="when").set_value("Last 24 hours").run()
    assert any("No run matches" in each.value for each in page.markdown)
    assert filters_of(page)["chosen"] == {"who": ["ben"], "when": "Last 24 hours"}
    next(button for button in page.button if button.label == "Show all runs").click().run()
    assert len(rows(page)) == 2
    assert filters_of(page)["chosen"] == {}


def test_a_changed_filter_goes_back_to_the_first_page(open_page: OpenPage) -> None:
    for number in range(60):
        seeded.run("shop" if number else "harbour", minutes_ago=number + 1)
    page = open_page("runs", page="2")
    page.multiselect(key="project").set_value(["harbour"]).run()
    assert not page.exception
    assert len(rows(page)) == 1


def test_a_state_that_does_not_exist_is_ignored(open_page: OpenPage) -> None:
    seeded.run()
    page = open_page("runs", state="Exploded")
    assert not page.exception
    assert len(rows(page)) == 1


def test_figures_stand_above_the_table_and_more_behind_tabs(open_page: OpenPage) -> None:
    seeded.project("shop")
    for number in range(4):
        made = seeded.run("shop", state=RunState.FAILED if number == 3 else RunState.SUCCEEDED, minutes_ago=10 - number)
        seeded.filled(made, statuses=seeded.HALF_FAILED)
    page = open_page("runs")
    shown = figures(page)
    assert (shown["Runs"], shown["Success rate"], shown["Failing now"]) == ("4", "75%", "1 project")
    assert "Failing now: shop." in data_of(page, "run_history")["figures"]["said"]
    titles_of = {"Trends": {"Durations"}, "Nodes": {"Slowest nodes", "Most often failing", "Flaky tests"}}
    for tab, titles in {**titles_of, "Operators": {"Operators", "The same work on different operators"}}.items():
        page = open_page("runs", tab=tab)
        assert not page.exception
        assert titles <= {each.value for each in page.header}


def test_presets_are_filters_in_the_address(open_page: OpenPage) -> None:
    seeded.run("shop", state=RunState.FAILED)
    seeded.run("shop", state=RunState.FAILED, minutes_ago=60 * 24 * 3)
    presets = dict(filters_of(open_page("runs"))["presets"])
    page = open_page("runs", **as_query(presets["Failed today"]))
    assert not page.exception
    assert len(rows(page)) == 1
    assert (page.query_params["state"], page.query_params["when"]) == ("Failed", "Today")


def test_a_search_is_in_the_address(open_page: OpenPage) -> None:
    seeded.run("shop", by="ben")
    seeded.run("shop", by="anna")
    page = open_page("runs", q="ben")
    assert [row["by"] for row in rows(page)] == ["ben"]


def test_a_row_offers_what_its_state_allows(open_page: OpenPage) -> None:
    seeded.run("shop", state=RunState.RUNNING, minutes_ago=1)
    seeded.run("shop", state=RunState.FAILED, minutes_ago=2)
    live, failed = [row["orders"] for row in rows(open_page("runs"))]
    assert live == ["change", "cancel"]
    assert failed == ["retry", "again", "change"]


def test_a_run_that_airflow_has_links_to_its_page_there(open_page: OpenPage) -> None:
    made = seeded.run("shop")
    page = open_page("runs")
    [row] = rows(page)
    link = table_of(page)["airflow"] + row["airflow"]
    assert link == f"http://127.0.0.1:9/dags/pilothouse__shop/runs/{quote(made.dag_run_id, safe='')}"


def test_a_run_that_airflow_does_not_have_yet_has_no_such_link(open_page: OpenPage) -> None:
    made = seeded.run("shop", state=RunState.QUEUED)
    with session() as opened:
        opened.get_one(Run, made.id).handed_over_at = None
    [row] = rows(open_page("runs"))
    assert row["airflow"] is None


def test_days_are_a_filter_in_the_address_in_words_and_in_saved_views(open_page: OpenPage) -> None:
    for days_ago in (1, 3, 5):
        seeded.run("shop", minutes_ago=60 * 24 * days_ago)
    first, last = (now().date() - timedelta(days=days) for days in (3, 2))
    page = open_page("runs", when="Last 24 hours")
    page.date_input(key="days").set_value((first, last)).run()
    assert not page.exception
    assert len(rows(page)) == 1
    assert "when" not in page.query_params, "the days take its place"
    view = saved_views.save_view("Then", {"days": [str(first), str(last)]}, by="ben")
    page = open_page("runs", view=str(view.id))
    assert len(rows(page)) == 1
    [(words, left)] = filters_of(page)["chips"]
    assert (words, left) == (f"Days: {first} to {last}", {})
    assert [len(rows(open_page("runs", days=str(last)))), len(rows(open_page("runs", days="nonsense")))] == [1, 3]


def test_a_filter_of_the_popover_is_named_and_dropped(open_page: OpenPage) -> None:
    seeded.run("shop", by="anna")
    seeded.run("harbour", by="ben")
    page = open_page("runs", project="shop", who="anna")
    assert len(rows(page)) == 1
    assert filters_of(page)["chips"] == [
        ["Project: shop", {"who": ["anna"]}],
        ["Launched by: anna", {"project": ["shop"]}],
    ]


def test_the_trigger_is_a_filter(open_page: OpenPage) -> None:
    seeded.run("shop", trigger=Trigger.SCHEDULE, by=None)
    seeded.run("shop")
    assert [row["how"] for row in rows(open_page("runs", how="schedule"))] == ["schedule"]


def test_a_view_is_saved_opened_by_its_address_and_named(open_page: OpenPage) -> None:
    seeded.run("shop", state=RunState.FAILED)
    seeded.run("harbour", state=RunState.FAILED)
    view = saved_views.save_view("Broken shops", {"state": ["Failed"], "project": ["shop"]}, by="ben")
    page = open_page("runs", view=str(view.id))
    assert not page.exception
    assert [row["project"] for row in rows(page)] == ["shop"]
    assert (page.query_params["state"], page.query_params["project"]) == ("Failed", "shop")
    assert "view" not in page.query_params
    assert page.menu_button[0].label == "Broken shops"
    gone = open_page("runs", view="999")
    assert "There is no saved view 999" in gone.warning[0].value
    assert len(rows(gone)) == 2


def test_a_view_whose_words_are_gone_still_opens(open_page: OpenPage) -> None:
    seeded.run("shop")
    view = saved_views.save_view("Old", {"project": ["long gone"], "when": "Since the flood", "q": "shop"}, by="ben")
    page = open_page("runs", view=str(view.id))
    assert not page.exception
    assert len(rows(page)) == 1


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
