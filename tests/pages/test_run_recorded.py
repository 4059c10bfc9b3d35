"""From the log that a real dbt wrote, through the collector, to what the page of its run says."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from contracts.log_event import parse_log_line
from models.run import Invocation, Run
from models.run_state import RunState
from services import logs
from services.collector.closing import finish
from services.collector.log_keeper import keep_lines
from services.database import session
from tests.pages import seeded
from tests.pages.conftest import OpenPage

RECORDED = Path(__file__).parents[1] / "unit" / "services" / "recorded"


def note_end(row: Invocation, _run: Run) -> None:
    """What the dbt API or the pod would tell of dbt's end."""
    row.finished_at = row.dbt_ended_at


@pytest.fixture
def recorded() -> str:
    """A failed run whose log and artifacts dbt 1.12.6 wrote on DuckDB."""
    log = (RECORDED / "mixed.jsonl").read_bytes()
    began = parse_log_line(log.decode().splitlines()[0]).timestamp
    assert began is not None
    made = seeded.run("harbour", state=RunState.FAILED, nodes_total=14)
    with session() as opened:
        run = opened.get_one(Run, made.id)
        run.created_at, run.handed_over_at = began - timedelta(seconds=9), began - timedelta(seconds=8)
        run.started_at, run.finished_at = began - timedelta(seconds=1), began + timedelta(seconds=20)
        invocation = Invocation(
            run_id=run.id or 0,
            try_number=1,
            task_id="recorded",
            state=RunState.FAILED,
            submitted_at=began - timedelta(seconds=5),
            started_at=began - timedelta(seconds=1),
            task_log_complete=True,
        )
        opened.add(invocation)
    folder = logs.artifacts_of(invocation)
    folder.mkdir(parents=True)
    for name in ("run_results.json", "manifest.json"):
        shutil.copy(RECORDED / f"mixed.{name}", folder / name)
    keep_lines(invocation, log, cursor=None)
    kept = [{"name": name.name, "bytes": name.stat().st_size} for name in folder.iterdir()]
    finish(invocation, kept, note_end)
    return str(made.id)


def texts(page: AppTest) -> str:
    return "\n".join(str(each.value) for each in [*page.markdown, *page.caption, *page.code, *page.error])


def test_the_failure_is_marked_in_its_sql_and_leads_to_its_line_in_the_log(open_page: OpenPage, recorded: str) -> None:
    page = open_page("run", run_id=recorded)
    assert not page.exception
    assert page.error[0].value.startswith("model broken failed")
    [marked, *_] = [each.proto.body for each in page.get("html")]
    assert "▶ 1  select id, no_such_column as x" in marked
    button = page.button(key="show_failure_model.harbour.broken")
    number = int(button.label.removeprefix("Line ").removesuffix(" of the log"))
    line = json.loads((RECORDED / "mixed.jsonl").read_text().splitlines()[number - 1])
    assert line["info"]["level"] == "error"
    assert line["data"]["node_info"]["node_name"] == "broken"
    [skipped] = [each for each in page.expander if "skipped" in each.label]
    reasons = " ".join(each.value for each in skipped.markdown)
    assert "**broken** failed: 2 nodes skipped" in reasons
    assert r"**accepted\_values\_strict\_id\_\_1** failed: 1 node skipped" in reasons


def test_the_stages_are_those_that_queue_and_dbt_told(open_page: OpenPage, recorded: str) -> None:
    page = open_page("run", run_id=recorded, tab="Timeline")
    assert not page.exception
    said = texts(page)
    [listed] = [each.proto.body for each in page.get("html") if each.proto.body.startswith("<ul")]
    for stage in ("Airflow", "dbt API's queue", "dbt starts", "Parsing", "Nodes", "Airflow ends the run"):
        assert f"</span> {stage} <b>" in listed
    assert "on 2 threads" in said
    assert "Critical path:" in said


def test_lineage_tests_and_configuration_are_drawn_of_it(open_page: OpenPage, recorded: str) -> None:
    page = open_page("run", run_id=recorded, tab="Lineage")
    [graph] = page.get("graphviz_chart")
    assert '"model.harbour.broken" -> "model.harbour.after_broken"' in graph.proto.spec
    assert '✖ 1 ✔ 1 tests"' in graph.proto.spec
    page = open_page("run", run_id=recorded, tab="Tests")
    assert any("2 rows" in each.label for each in page.expander)
    assert not open_page("run", run_id=recorded, tab="Artifacts").exception
