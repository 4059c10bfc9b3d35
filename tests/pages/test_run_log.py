"""The log tab hands the viewer a ticket and the tries to choose from, and never a line of a log."""

import json
from typing import Any

import pytest

from contracts.operators import OperatorName
from models.run import Run
from models.run_state import RunState
from services.errors import NotAllowed
from services.logs.tickets import admit
from tests.pages import seeded
from tests.pages.conftest import OpenPage


def told(page: Any) -> dict[str, Any]:
    """What the viewer was told."""
    [viewer] = page.get("bidi_component")
    data: dict[str, Any] = json.loads(viewer.proto.json)
    return data


def with_log(operator: OperatorName = OperatorName.DBT_API, **more: Any) -> Run:
    made = seeded.run(operator=operator, **more)
    seeded.filled(made, statuses=seeded.HALF_FAILED, lines=3_000)
    return made


def test_the_ticket_admits_to_this_runs_logs_and_no_others(open_page: OpenPage) -> None:
    mine, other = with_log(), with_log(minutes_ago=9)
    data = told(open_page("run", run_id=str(mine.id), tab="Log"))
    [attempt] = data["tries"]
    run, _ = admit(data["ticket"], attempt["id"])
    assert run.id == mine.id
    others = told(open_page("run", run_id=str(other.id), tab="Log"))["tries"][0]["id"]
    with pytest.raises(NotAllowed):
        admit(data["ticket"], others)


def test_no_line_travels_with_the_page_however_long_the_log(open_page: OpenPage) -> None:
    data = told(open_page("run", run_id=str(with_log().id), tab="Log", line="250"))
    assert len(json.dumps(data)) < 1_000
    assert "select" not in json.dumps(data)


@pytest.mark.parametrize(
    ("operator", "sources"),
    [(OperatorName.DBT_API, ["dbt", "airflow", "all"]), (OperatorName.KUBERNETES, ["dbt", "init", "airflow", "all"])],
)
def test_the_sources_are_those_that_the_operator_has(
    open_page: OpenPage, operator: OperatorName, sources: list[str]
) -> None:
    data = told(open_page("run", run_id=str(with_log(operator).id), tab="Log"))
    assert [name for name, _ in data["sources"]] == sources


@pytest.mark.parametrize(("state", "live"), [(RunState.RUNNING, True), (RunState.SUCCEEDED, False)])
def test_only_a_run_that_goes_on_is_followed(open_page: OpenPage, state: RunState, live: bool) -> None:
    seeded.healthy()
    assert told(open_page("run", run_id=str(with_log(state=state).id), tab="Log"))["live"] is live


def test_a_jump_reaches_a_viewer_that_is_open(open_page: OpenPage) -> None:
    page = open_page("run", run_id=str(with_log(state=RunState.FAILED).id), tab="Log", find="x", about="model.shop.y")
    before = told(page)["jump"]
    page = page.button(key="show_failure_model.shop.fct_calls").click().run()
    assert told(page)["jump"] == before + 1
    assert "about" not in page.query_params
