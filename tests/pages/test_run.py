"""The page of one run: what failed comes first, every state is said in words, tabs open from the URL."""

import pytest

from contracts.run_conf import DbtCommand, RunConf
from models.run_state import NodeStatus, RunState
from services import health, logs
from services.runs import history
from tests.pages import seeded
from tests.pages.conftest import OpenPage


@pytest.mark.parametrize("query", [{}, {"run_id": "999"}, {"run_id": "abc"}])
def test_an_unknown_run_says_so_and_leads_on(open_page: OpenPage, query: dict[str, str]) -> None:
    page = open_page("run", **query)
    assert not page.exception
    assert page.title[0].value == "Run not found"
    assert page.error


@pytest.mark.parametrize("state", list(RunState))
def test_every_state_opens_and_is_named(open_page: OpenPage, state: RunState) -> None:
    seeded.healthy()
    page = open_page("run", run_id=str(seeded.run(state=state).id))
    assert not page.exception
    assert any(state.style.word in text.value for text in page.markdown)


def test_a_failed_run_shows_its_failing_nodes_first_with_message_and_sql(open_page: OpenPage) -> None:
    made = seeded.run(state=RunState.FAILED, message="2 of 9 nodes failed")
    seeded.filled(made, statuses=seeded.HALF_FAILED)
    page = open_page("run", run_id=str(made.id))
    assert not page.exception
    failing = [expander for expander in page.expander if "fct" in expander.label]
    assert failing[0].proto.expanded
    assert seeded.ERROR in [code.value for code in failing[0].code]
    assert seeded.SQL in [code.value for code in failing[0].code]
    skipped = next(expander for expander in page.expander if "skipped" in expander.label)
    assert any("fct" in text.value and "failed" in text.value for text in skipped.markdown)


def test_nodes_are_listed_with_their_status_in_words(open_page: OpenPage) -> None:
    made = seeded.run(state=RunState.FAILED)
    seeded.filled(made, statuses=seeded.HALF_FAILED)
    page = open_page("run", run_id=str(made.id))
    page.segmented_control(key="nodes_order").set_value("Failed first").run()
    table = page.dataframe[0].value
    assert [cell[0] for cell in table["Status"]][:2] == ["✖ Error", "✖ Fail"]
    assert len(table) == len(seeded.HALF_FAILED)


def test_a_live_run_tells_how_far_it_is(open_page: OpenPage) -> None:
    seeded.healthy()
    made = seeded.run(state=RunState.RUNNING, minutes_ago=1, nodes_total=4)
    seeded.filled(made, statuses={"a": NodeStatus.SUCCESS, "b": NodeStatus.STARTED})
    page = open_page("run", run_id=str(made.id))
    assert not page.exception
    assert not page.warning
    assert any("1 of 4 nodes done" in bar.proto.text for bar in page.get("progress"))
    assert page.button(key="cancel").label == "Cancel run"


def test_a_silent_collector_marks_the_page_as_old(open_page: OpenPage) -> None:
    page = open_page("run", run_id=str(seeded.run(state=RunState.RUNNING, minutes_ago=1).id))
    assert "collector is not running" in page.warning[0].value


def test_an_unreachable_airflow_marks_a_live_page_as_old(open_page: OpenPage) -> None:
    seeded.healthy()
    health.report(health.AIRFLOW, reachable=False, message="No connection.")
    page = open_page("run", run_id=str(seeded.run(state=RunState.RUNNING, minutes_ago=1).id))
    assert "Airflow doesn't answer" in page.warning[0].value


def test_the_log_tab_opens_from_the_url(open_page: OpenPage) -> None:
    made = seeded.run(state=RunState.FAILED)
    seeded.filled(made, statuses=seeded.HALF_FAILED, lines=300)
    page = open_page("run", run_id=str(made.id), tab="Log", line="250")
    assert not page.exception
    assert len(page.get("bidi_component")) == 1


def test_the_exact_configuration_and_the_artifacts_are_there(open_page: OpenPage) -> None:
    made = seeded.run()
    seeded.filled(made)
    page = open_page("run", run_id=str(made.id), tab="Configuration")
    assert not page.exception
    assert f"dbt {made.command}" in [code.value for code in page.code]
    page = open_page("run", run_id=str(made.id), tab="Artifacts")
    assert not page.exception
    assert any("run_results.json" in text.value for text in page.markdown)


def test_text_of_a_person_or_of_dbt_is_never_markdown(open_page: OpenPage) -> None:
    made = seeded.run(by="*anna* :red[x]", state=RunState.FAILED, message="a $x$ [link](http://evil)")
    page = open_page("run", run_id=str(made.id))
    assert r"\[link\]\(" in page.error[0].value
    assert any(r"\*anna\*" in text.value for text in page.markdown)


def test_cancel_asks_first_and_says_what_is_done(open_page: OpenPage) -> None:
    seeded.healthy()
    made = seeded.run(state=RunState.RUNNING, minutes_ago=1, nodes_total=40)
    seeded.filled(made, statuses={f"n{number}": NodeStatus.SUCCESS for number in range(12)})
    page = open_page("run", run_id=str(made.id))
    page.button(key="cancel").click().run()
    assert any("12 of 40 nodes are done" in text.value for text in page.markdown)
    assert history.get_run(seeded.id_of(made)).cancel_requested_at is None


def test_a_retry_that_airflow_does_not_answer_is_said_and_can_be_repeated(open_page: OpenPage) -> None:
    seeded.project("shop")
    made = seeded.run(state=RunState.FAILED)
    seeded.filled(made, statuses=seeded.HALF_FAILED)
    page = open_page("run", run_id=str(made.id))
    page.button(key="again").click().run()
    page.button(key="again").click().run()
    assert not page.exception
    assert page.error
    assert history.list_runs().total == 2, "the same click twice is one run"


def test_a_missing_log_file_is_an_empty_log(open_page: OpenPage) -> None:
    made = seeded.run()
    invocation = seeded.filled(made)
    logs.path_of(invocation).unlink()
    page = open_page("run", run_id=str(made.id), tab="Log")
    assert not page.exception


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.RUNNING, RunState.CANCELLED, RunState.QUEUED])
def test_the_timeline_says_where_the_time_went(open_page: OpenPage, state: RunState) -> None:
    seeded.healthy()
    made = seeded.run(state=state, minutes_ago=1)
    seeded.filled(made, statuses=seeded.HALF_FAILED if state is not RunState.QUEUED else {})
    page = open_page("run", run_id=str(made.id), tab="Timeline")
    assert not page.exception
    assert any("Airflow and queues" in each.proto.body for each in page.get("html"))
    said = " ".join(each.value for each in [*page.caption, *page.markdown])
    assert ("critical path" in said) == (state is not RunState.QUEUED)


def test_a_failure_says_since_when_and_what_was_green(open_page: OpenPage) -> None:
    green = seeded.run(minutes_ago=60)
    first = seeded.run(state=RunState.FAILED, minutes_ago=40, message="boom")
    seeded.run(minutes_ago=35, conf=RunConf(command=DbtCommand.DEBUG))
    seeded.run("harbour", minutes_ago=34)
    last = seeded.run(state=RunState.FAILED, minutes_ago=30, message="boom", conf=RunConf(select=["stg_ships"]))
    page = open_page("run", run_id=str(last.id))
    assert not page.exception
    assert any("Failed 2 times in a row" in each.value for each in page.markdown)
    labels = " ".join(link.proto.label for link in page.get("page_link"))
    assert f"First failed: run {first.id}" in labels
    assert f"Last green: run {green.id}" in labels
    assert "Compare with the green one" in labels
    assert f"← Run {first.id}" in labels
    assert any("did not fail the time before" in each.value for each in open_page("run", run_id=str(first.id)).markdown)


def test_a_first_failure_ever_says_so(open_page: OpenPage) -> None:
    made = seeded.run(state=RunState.FAILED, message="boom")
    page = open_page("run", run_id=str(made.id))
    assert any("No run like it has succeeded yet" in each.value for each in page.markdown)
