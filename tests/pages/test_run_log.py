"""The log tab hands the viewer a ticket and the tries to choose from, and never a line of a log."""

import json
from typing import Any

import pytest

from contracts.operators import OperatorName
from models.cluster import Pod
from models.run import Invocation, Run
from models.run_state import RunState
from services.database import session
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


@pytest.mark.parametrize(
    ("operator", "who"),
    [
        (OperatorName.KUBERNETES, "whatever collects the cluster's logs may have it, under the pod dbt/shop-1."),
        (OperatorName.GKE, "Google Cloud Logging may have it, under the pod dbt/shop-1."),
        (OperatorName.DBT_API, "the dbt API no longer had it; Airflow's log of the task may have it."),
    ],
)
def test_a_run_that_went_well_tells_of_the_lost_end_of_its_log_and_who_may_have_it(
    open_page: OpenPage, operator: OperatorName, who: str
) -> None:
    made = seeded.run(operator=operator)
    kept = seeded.filled(made, lines=30)
    with session() as opened:
        row = opened.get_one(Invocation, kept.id)
        row.log_end_missing, row.log_bytes = True, 3_000
        if operator.runs_in_pods:
            facts: dict[str, Any] = {
                "namespace": "dbt",
                "name": "shop-1",
                "uid": "u",
                "phase": "Succeeded",
                "image": "dbt",
            }
            opened.add(Pod(invocation_id=kept.id or 0, cluster="test", **facts))
    page = open_page("run", run_id=str(made.id), tab="Log")
    [said] = [each.value.replace("\\", "") for each in page.warning]
    assert said.startswith(
        "The end of dbt's log is missing, and with it how its last nodes ended and dbt's artifacts: "
    )
    assert said.endswith(who)
    assert told(page)["tries"][0]["missing"].endswith(who)


@pytest.mark.parametrize(("state", "outcome"), [(RunState.SUCCEEDED, "success"), (RunState.FAILED, "oom")])
def test_of_a_whole_log_and_of_a_killed_dbt_nothing_is_said_to_be_missing(
    open_page: OpenPage, state: RunState, outcome: str
) -> None:
    made = seeded.run(operator=OperatorName.KUBERNETES, state=state)
    kept = seeded.filled(made, lines=30)
    with session() as opened:
        row = opened.get_one(Invocation, kept.id)
        row.outcome, row.log_end_missing = outcome, outcome == "oom"
    page = open_page("run", run_id=str(made.id), tab="Log")
    assert not page.warning
    assert told(page)["tries"][0]["missing"] == ""


def test_a_jump_reaches_a_viewer_that_is_open(open_page: OpenPage) -> None:
    page = open_page("run", run_id=str(with_log(state=RunState.FAILED).id), tab="Log", find="x", about="model.shop.y")
    before = told(page)["jump"]
    page = page.button(key="show_failure_model.shop.fct_calls").click().run()
    assert told(page)["jump"] == before + 1
    assert "about" not in page.query_params
