"""What a failed run's page says first: where each node failed, since when, what was skipped for it, what changed."""

import pytest
from sqlmodel import col, select
from streamlit.testing.v1 import AppTest

from contracts.run_conf import RunConf
from models.run import NodeResult, Run
from models.run_state import NodeStatus, RunState
from services.database import session
from tests.pages import seeded
from tests.pages.conftest import OpenPage


def texts(page: AppTest) -> str:
    """All that is written on the page."""
    return "\n".join(
        str(each.value) for each in [*page.markdown, *page.caption, *page.code, *page.error, *page.get("html")]
    )


@pytest.fixture
def failed() -> int:
    """A run that failed, with its node results."""
    seeded.project()
    made = seeded.run(state=RunState.FAILED, message="2 of 9 nodes failed")
    seeded.filled(made, statuses=seeded.HALF_FAILED, lines=300)
    return seeded.id_of(made)


def test_a_failure_names_file_and_line_and_marks_the_line_of_the_sql(open_page: OpenPage, failed: int) -> None:
    page = open_page("run", run_id=str(failed))
    assert not page.exception
    assert "`models/marts/fct_calls.sql:5`" in texts(page)
    [marked] = [each for each in page.get("html") if "calls.berth_no" in each.proto.body][:1]
    assert "▶ 3" in marked.proto.body
    assert 'aria-label="Line 3 of the compiled SQL"' in marked.proto.body


def test_the_button_beside_a_failure_opens_the_log_at_its_line(open_page: OpenPage, failed: int) -> None:
    page = open_page("run", run_id=str(failed))
    button = page.button(key="show_failure_model.shop.fct_calls")
    assert button.label == "Line 250 of the log"
    page = button.click().run()
    assert not page.exception
    assert page.query_params["line"] == "250"
    assert len(page.get("bidi_component")) == 1


def test_without_a_known_line_the_button_looks_for_the_node(open_page: OpenPage, failed: int) -> None:
    with session() as opened:
        for node in opened.exec(select(NodeResult).where(col(NodeResult.name) == "fct_calls")):
            node.log_line = node.compiled_line = None
    page = open_page("run", run_id=str(failed))
    page = page.button(key="show_failure_model.shop.fct_calls").click().run()
    assert page.query_params["find"] == "fct_calls"


def test_skipped_nodes_stand_under_the_failure_that_is_the_reason(open_page: OpenPage, failed: int) -> None:
    page = open_page("run", run_id=str(failed))
    [skipped] = [each for each in page.expander if "skipped" in each.label]
    assert skipped.label.startswith("2 nodes")
    assert r"**fct\_calls** failed: 2 nodes skipped" in skipped.markdown[0].value


def test_while_the_run_lives_the_reason_is_found_in_the_graph(open_page: OpenPage) -> None:
    seeded.healthy()
    made = seeded.run(state=RunState.RUNNING, minutes_ago=1)
    invocation = seeded.filled(made, statuses={"a": NodeStatus.ERROR, "b": NodeStatus.SKIPPED, "c": NodeStatus.SKIPPED})
    seeded.manifest(invocation, {"a": "", "b": "", "c": ""}, b=["a"], c=["b"])
    with session() as opened:
        for node in opened.exec(select(NodeResult)):
            node.skipped_because = None
    page = open_page("run", run_id=str(made.id))
    [skipped] = [each for each in page.expander if "skipped" in each.label]
    assert "**a** failed: 2 nodes skipped" in skipped.markdown[0].value


def test_a_failure_says_since_when(open_page: OpenPage) -> None:
    statuses = {"fct_calls": NodeStatus.ERROR}
    seeded.filled(seeded.run(minutes_ago=90), statuses={"fct_calls": NodeStatus.SUCCESS})
    first = seeded.run(state=RunState.FAILED, minutes_ago=60)
    seeded.filled(first, statuses=statuses)
    elsewhere = seeded.run("other", state=RunState.FAILED, minutes_ago=50)
    seeded.filled(elsewhere, statuses=statuses)
    last = seeded.run(state=RunState.FAILED, minutes_ago=30)
    seeded.filled(last, statuses=statuses)
    page = open_page("run", run_id=str(last.id))
    assert f"Failing since run {first.id}" in [each.proto.label for each in page.get("page_link")]
    assert "It did not fail the time before." in texts(open_page("run", run_id=str(first.id)))


def test_what_changed_since_the_last_green_run_is_told(open_page: OpenPage) -> None:
    seeded.project()
    green = seeded.run(minutes_ago=60)
    before = {"stg_calls": "select 1", "fct_calls": "select 2", "dim_ships": "select 3"}
    seeded.manifest(seeded.filled(green, statuses={"fct_calls": NodeStatus.SUCCESS}), before)
    red = seeded.run(state=RunState.FAILED, message="boom", conf=RunConf(vars={"day": 8}, requested_by="anna"))
    invocation = seeded.filled(red, statuses={"fct_calls": NodeStatus.ERROR})
    after = {"stg_calls": "select 11", "fct_calls": "select 2", "dim_ships": "select 33", "new": "select 4"}
    seeded.manifest(invocation, after, fct_calls=["stg_calls"])
    page = open_page("run", run_id=str(red.id))
    assert not page.exception
    [since] = [each for each in page.expander if f"Since run {green.id}" in each.label]
    assert "3 nodes of other code, 1 of them above it" in since.label
    code, parameters = (table.value for table in since.dataframe)
    assert list(code["Name"]) == ["stg_calls", "dim_ships", "new"]
    assert list(code["How"]) == ["changed", "changed", "added"]
    assert list(code["Above the failure"]) == ["yes", "", ""]
    assert list(parameters.iloc[0]) == ["vars.day", "–", "8"]


def test_without_manifests_the_page_says_that_it_cannot_tell(open_page: OpenPage) -> None:
    seeded.project()
    seeded.filled(seeded.run(minutes_ago=60), statuses={"a": NodeStatus.SUCCESS})
    red = seeded.run(state=RunState.FAILED, message="boom")
    seeded.filled(red, statuses={"a": NodeStatus.ERROR})
    page = open_page("run", run_id=str(red.id))
    assert "Whether the code changed cannot be told" in texts(page)


def test_commits_are_asked_for_on_request_and_an_absent_dbt_api_is_said(open_page: OpenPage) -> None:
    seeded.project()
    green, red = seeded.run(minutes_ago=60), seeded.run(state=RunState.FAILED, message="boom")
    for made in (green, red):
        seeded.filled(made, statuses={"a": NodeStatus.ERROR if made is red else NodeStatus.SUCCESS})
    with session() as opened:
        opened.get_one(Run, red.id).git_sha = "b" * 40
    page = open_page("run", run_id=str(red.id))
    [since] = [each for each in page.expander if f"Since run {green.id}" in each.label]
    assert "other commit" in since.label
    assert "`4f2a91c0` → `bbbbbbbb`" in texts(page)
    page = page.button(key="list_commits").click().run()
    assert not page.exception
    assert any("dbt API" in each.value for each in page.error)
