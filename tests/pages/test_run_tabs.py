"""The tabs of a run's page: nodes by the page and one by one, lineage, tests, sources, artifacts, configuration."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from streamlit.testing.v1 import AppTest

from contracts.dbt_api import Rows
from contracts.operators import OperatorName
from contracts.run_conf import DbtCommand, RunConf
from models.run import NodeResult, Run
from models.run_state import NodeStatus, RunState
from models.types import now
from services import database, logs
from services.database import session
from services.run import run_zip
from services.runs import history
from tests.pages import seeded
from tests.pages.conftest import OpenPage

MANY = 3000


def texts(page: AppTest) -> str:
    """All that is written on the page."""
    return "\n".join(str(each.value) for each in [*page.markdown, *page.caption, *page.code, *page.info])


def failed_run() -> Run:
    seeded.project()
    made = seeded.run(state=RunState.FAILED, message="2 of 9 nodes failed")
    invocation = seeded.filled(made, statuses=seeded.HALF_FAILED, lines=300)
    code = dict.fromkeys(seeded.HALF_FAILED, "select 1")
    seeded.manifest(invocation, code, fct_calls=["stg_calls"], fct_revenue=["fct_calls"], dim_berths=["fct_calls"])
    return made


def large_run() -> Run:
    """A run of 3,000 nodes that goes on."""
    seeded.healthy()
    made = seeded.run(state=RunState.RUNNING, minutes_ago=5, nodes_total=MANY)
    invocation = seeded.filled(made)
    start = made.started_at or now()
    with session() as opened:
        opened.add_all(
            NodeResult(
                invocation_id=invocation.id or 0,
                unique_id=f"model.shop.m{number:04d}",
                name=f"m{number:04d}",
                resource_type="model",
                status=NodeStatus.ERROR if number == 700 else NodeStatus.SUCCESS,
                started_at=start + timedelta(seconds=number / 20),
                finished_at=start + timedelta(seconds=number / 20 + 1 + number % 7),
                seconds=1 + number % 7,
                thread=f"Thread-{number % 8}",
                message="OK",
            )
            for number in range(MANY)
        )
    return made


def test_of_3000_nodes_one_page_is_drawn(open_page: OpenPage) -> None:
    page = open_page("run", run_id=str(large_run().id), nodes_order="Slowest first")
    assert not page.exception
    [table] = [each.value for each in page.dataframe]
    assert len(table) == 100
    assert list(table["Seconds"]) == [7.0] * 100
    assert "3,000 nodes" in texts(page)


def test_a_page_of_nodes_reopens_from_its_address(open_page: OpenPage) -> None:
    number = str(large_run().id)
    page = open_page("run", run_id=number, nodes_order="By name", nodes_page="30")
    assert page.dataframe[0].value["Name"].iloc[-1] == "m2999"
    page = open_page("run", run_id=number, nodes_find="m07", nodes_status="Error")
    assert list(page.dataframe[0].value["Name"]) == ["m0700"]
    page = open_page("run", run_id=number, nodes_find="nothing like it")
    assert "No node fits" in texts(page)


@pytest.mark.parametrize("tab", ["Nodes", "Timeline", "Lineage", "Tests"])
def test_a_large_run_asks_the_store_no_more_often_than_a_small_one(open_page: OpenPage, tab: str) -> None:
    large, small = large_run(), failed_run()
    open_page("run", run_id=str(small.id), tab=tab)
    asked: list[int] = []
    for made in (large, small):
        with counted_queries() as queries:
            open_page("run", run_id=str(made.id), tab=tab)
        asked.append(len(queries))
    assert asked[0] <= asked[1] + 5, "a live run also asks for the health of systems"


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """The statements that reach SQLite."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(database.engine(), "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine(), "before_cursor_execute", note)


@pytest.mark.parametrize("tab", ["Timeline", "Lineage", "Tests"])
def test_the_pictures_of_3000_nodes_are_bounded(open_page: OpenPage, tab: str) -> None:
    page = open_page("run", run_id=str(large_run().id), tab=tab)
    assert not page.exception
    if tab == "Timeline":
        assert "1,500 longest of 3,000 nodes" in texts(page)
    if tab == "Lineage":
        [graph] = page.get("graphviz_chart")
        assert graph.proto.spec.count("label=") <= 120
        assert "m0700" in graph.proto.spec, "what failed is what a reader looks for"


def test_a_node_opens_from_the_address_with_its_history_and_neighbours(open_page: OpenPage) -> None:
    seeded.filled(seeded.run(minutes_ago=90), statuses={"fct_calls": NodeStatus.SUCCESS})
    page = open_page("run", run_id=str(failed_run().id), node="model.shop.fct_calls")
    assert not page.exception
    assert "Reads: stg\\_calls" in texts(page)
    assert "Read by: fct\\_revenue, dim\\_berths" in texts(page)
    assert len(page.get("vega_lite_chart")) == 1
    links = [link.proto.label for link in page.get("page_link")]
    assert "✔ run 1" in links
    log = page.button(key="node_log").click().run()
    assert not log.exception
    assert log.query_params["about"] == "model.shop.fct_calls"
    page = open_page("run", run_id="2", node="model.shop.fct_calls")
    page = page.button(key="close_node").click().run()
    assert "Reads:" not in texts(page)
    page = open_page("run", run_id="2", node="model.shop.nobody")
    assert "This run has no node" in texts(page)


def test_the_lineage_shows_states_and_counts_tests(open_page: OpenPage) -> None:
    page = open_page("run", run_id=str(failed_run().id), tab="Lineage")
    assert not page.exception
    [graph] = page.get("graphviz_chart")
    assert '"model.shop.fct_calls" -> "model.shop.fct_revenue"' in graph.proto.spec
    assert "✖ fct_calls" in graph.proto.spec
    assert "not_null" not in graph.proto.spec


def test_each_failed_test_has_its_query_and_its_history(open_page: OpenPage) -> None:
    page = open_page("run", run_id=str(failed_run().id), tab="Tests")
    assert not page.exception
    [failure] = [each for each in page.expander if "not\\_null" in each.label and "Fail" in each.label][1:]
    assert seeded.SQL in [code.value for code in failure.code]
    assert set(page.dataframe[-1].value["Type"]) == {"test"}


def test_the_rows_of_a_failed_test_are_asked_for_at_a_click(open_page: OpenPage) -> None:
    made = failed_run()
    page = open_page("run", run_id=str(made.id), tab="Tests")
    page = page.button(key="rows_test.shop.not_null_stg_calls_id").click().run()
    assert not page.exception
    assert any("dbt API" in each.value for each in page.error), "it is not there in these tests"
    answer = Rows(ok=True, rows=[{"call_id": "C014", "hours": 86.5}])
    page.session_state["test_rows"] = {f"{made.id} test.shop.not_null_stg_calls_id": answer}
    page.run()
    assert page.dataframe[0].value["call_id"].tolist() == ["C014"]
    assert "1 row, as the warehouse has them now." in texts(page)


def test_the_rows_of_a_run_in_pods_are_the_readers_to_query(open_page: OpenPage) -> None:
    made = seeded.run(state=RunState.FAILED, operator=OperatorName.KUBERNETES)
    seeded.filled(made, statuses=seeded.HALF_FAILED)
    page = open_page("run", run_id=str(made.id), tab="Tests")
    assert not page.exception
    assert "only the run's pods reach its warehouse" in texts(page)
    assert not [button for button in page.button if button.label == "Show rows"]


def test_the_freshness_of_sources_is_told_and_the_stale_ones_come_first(open_page: OpenPage) -> None:
    made = seeded.run(conf=RunConf(command=DbtCommand.SOURCE_FRESHNESS))
    invocation = seeded.filled(made)
    results = [
        {"unique_id": "source.shop.port.ships", "status": "pass", "max_loaded_at_time_ago_in_s": 60.0},
        {
            "unique_id": "source.shop.port.calls",
            "status": "error",
            "max_loaded_at": "2026-11-25T00:00:00+00:00",
            "max_loaded_at_time_ago_in_s": 90_000.0,
            "criteria": {"error_after": {"count": 1, "period": "day"}, "warn_after": {"count": None, "period": None}},
        },
        {"unique_id": "source.shop.port.tides", "status": "runtime error", "error": "no such table"},
    ]
    (logs.artifacts_of(invocation) / "sources.json").write_text(json.dumps({"results": results}))
    page = open_page("run", run_id=str(made.id), tab="Sources")
    assert not page.exception
    table = page.dataframe[0].value
    assert list(table["Table"]) == ["port.calls", "port.tides", "port.ships"]
    assert table["Too old after"].iloc[0] == "1 day"
    assert table["Age when checked"].iloc[0] == "1 d 1 h"
    assert "no such table" in texts(page)


def test_a_run_that_checks_no_sources_has_no_such_tab(open_page: OpenPage) -> None:
    made = seeded.run()
    seeded.filled(made)
    assert "Sources" not in [tab.label for tab in open_page("run", run_id=str(made.id)).tabs]


def test_all_that_is_kept_of_a_run_fits_into_a_zip(open_page: OpenPage) -> None:
    made = failed_run()
    page = open_page("run", run_id=str(made.id), tab="Artifacts")
    assert not page.exception
    assert "manifest.json" in texts(page)
    packed = run_zip.zipped(made, history.invocations_of(made.id or 0))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert set(archive.namelist()) == {"conf.json", "manifest.json", "run_results.json", "dbt.jsonl", "airflow.log"}
        assert json.loads(archive.read("conf.json")) == made.conf


def test_documentation_that_cannot_be_fetched_is_said(open_page: OpenPage) -> None:
    page = open_page("run", run_id=str(failed_run().id), tab="Artifacts")
    page = page.button(key="run_docs").click().run()
    assert not page.exception
    assert any("dbt API" in each.value for each in page.error)


def test_the_configuration_tells_how_to_do_it_again_and_no_login(open_page: OpenPage) -> None:
    made = failed_run()
    page = open_page("run", run_id=str(made.id), tab="Configuration")
    assert not page.exception
    said = texts(page)
    assert "cd /srv/shop" in said
    assert "dbt build" in said
    assert "/api/v2/dags/pilothouse__shop/dagRuns" in said
    assert "Bearer $AIRFLOW_TOKEN" in said
    assert "unused" not in said, "that is the password of the tests' settings"
