"""Figures of the history: rates, medians, slow runs, failing projects, operators, nodes that make trouble."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from contracts.operators import OperatorName
from contracts.run_conf import DbtCommand, RunConf
from models.run_state import NodeStatus, RunState
from models.types import now
from services.database import engine, migrate
from services.errors import NotFound
from services.runs import comparing, exporting, figures, history, node_figures, operator_figures
from services.runs.history import RunFilter
from services.settings import settings
from tests.pages import seeded

ANY = RunFilter()


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    settings.cache_clear()
    engine.cache_clear()
    migrate()
    yield
    engine().dispose()
    settings.cache_clear()
    engine.cache_clear()


def test_a_summary_counts_judges_and_measures() -> None:
    for number in range(19):
        seeded.run(seconds=10 + number, minutes_ago=60 * 24 * (number % 13) + 1)
    seeded.run(state=RunState.FAILED, seconds=500)
    seeded.run(state=RunState.CANCELLED, seconds=900)
    seeded.run(state=RunState.RUNNING)
    seeded.run(minutes_ago=60 * 24 * 30, seconds=10_000)
    found = figures.summary(ANY)
    assert (found.total.runs, found.total.failed, found.total.success_rate) == (21, 1, 0.95)
    assert (found.total.median_seconds, found.total.p95_seconds, found.total.queued_seconds) == (19, 28, 3)
    assert len(found.trend) == figures.BUCKETS
    assert sum(each.runs for each in found.trend) == 21
    assert found.trend[-1].failed == 1


def test_a_summary_of_nothing_has_no_figures() -> None:
    found = figures.summary(RunFilter(projects=["nowhere"]))
    assert (found.total.runs, found.total.success_rate, found.total.p95_seconds) == (0, None, None)
    assert found.failing_projects == []


def test_a_project_is_failing_while_its_newest_verdict_is_bad() -> None:
    for name in ("mended", "broken", "calm"):
        seeded.project(name)
    seeded.run("deleted", state=RunState.FAILED, minutes_ago=60)
    seeded.run("mended", state=RunState.FAILED, minutes_ago=60)
    seeded.run("mended", minutes_ago=50)
    seeded.run("broken", minutes_ago=60)
    seeded.run("broken", state=RunState.FAILED, minutes_ago=50)
    seeded.run("broken", state=RunState.CANCELLED, minutes_ago=40)
    seeded.run("broken", state=RunState.RUNNING, minutes_ago=1)
    found = figures.summary(ANY)
    assert (found.failing_projects, found.failing_trend[-1]) == (["broken"], 1)


def test_a_run_is_slow_against_its_own_like_only() -> None:
    for _ in range(5):
        seeded.run("shop", seconds=10)
        seeded.run("shop", seconds=100, conf=RunConf(command=DbtCommand.RUN))
    slow = seeded.run("shop", seconds=40)
    assert [each.run_id for each in figures.timings(ANY, most=50) if each.is_slow] == [slow.id]
    kinds = {("shop", "build"), ("shop", "run"), ("shop", "test")}
    assert figures.usual_durations(kinds) == {("shop", "build"): 10, ("shop", "run"): 100}
    assert not figures.is_slow(4, 1), "some seconds more are noise, however many times"


def test_a_period_is_held_against_the_one_before() -> None:
    seeded.run(minutes_ago=10)
    for days in (15, 20):
        seeded.run(minutes_ago=60 * 24 * days)
    found = figures.summary(ANY)
    assert (found.total.runs, found.before.runs) == (1, 2)


def test_operators_are_compared_by_time_and_by_what_their_pods_ask_for() -> None:
    pods = RunConf(operator=OperatorName.KUBERNETES, operator_parameters={"cpu_request": "500m", "memory_limit": "2Gi"})
    seeded.run(seconds=10)
    seeded.run(seconds=3600, operator=OperatorName.KUBERNETES, conf=pods)
    seeded.run(seconds=7200, state=RunState.FAILED, operator=OperatorName.KUBERNETES, conf=pods)
    api, kubernetes = operator_figures.by_operator(ANY)
    assert (api.figures.median_seconds, api.requested) == (10, None)
    assert (kubernetes.figures.runs, kubernetes.figures.success_rate) == (2, 0.5)
    assert kubernetes.requested
    assert (kubernetes.requested.core_hours, kubernetes.requested.gibibyte_hours) == pytest.approx((0.75, 3.0))
    (shared,) = operator_figures.same_work(ANY)
    assert {name: each.runs for name, each in shared.by_operator.items()} == {
        OperatorName.DBT_API: 1,
        OperatorName.KUBERNETES: 2,
    }


def test_slow_failing_and_flaky_nodes_are_found() -> None:
    verdicts = [NodeStatus.PASS, NodeStatus.FAIL, NodeStatus.PASS, NodeStatus.PASS]
    for age, verdict in enumerate(verdicts):
        statuses = {"stg_ships": NodeStatus.SUCCESS, "not_null_a": verdict, "fct_calls": NodeStatus.ERROR}
        seeded.filled(seeded.run(minutes_ago=100 - age), statuses=statuses | {"dim_ships": NodeStatus.SKIPPED})
    slowest = node_figures.slowest(ANY)
    assert slowest[0].name == "fct_calls"
    assert "dim_ships" not in [node.name for node in slowest]
    assert [(node.name, node.failures, node.times) for node in node_figures.failing(ANY)] == [
        ("fct_calls", 4, 4),
        ("not_null_a", 1, 4),
    ]
    (flaky,) = node_figures.flaky(ANY)
    assert (flaky.name, flaky.flips, flaky.failures, flaky.last) == ("not_null_a", 2, 1, NodeStatus.PASS)


def test_the_history_pins_what_lives_and_pages_over_both() -> None:
    over = [seeded.id_of(seeded.run(minutes_ago=number)) for number in range(1, 5)]
    live = [seeded.id_of(seeded.run(state=RunState.RUNNING, minutes_ago=number)) for number in (10, 20)]
    pages = [history.list_runs(page=page, page_size=3) for page in (1, 2, 3)]
    assert [[run.id for run in page.runs] for page in pages] == [[*live, over[0]], over[1:], []]
    assert pages[0].total == 6


def test_a_search_wants_every_word_somewhere() -> None:
    broken = seeded.run("shop", state=RunState.FAILED, message="Binder Error: 100% of berth_no missing", by="Anna")
    seeded.run("shop", by="ben")

    def found(text: str) -> list[int | None]:
        return [run.id for run in history.list_runs(RunFilter(text=text)).runs]

    assert found("binder ANNA") == [broken.id]
    assert found("100%") == [broken.id]
    assert broken.id in found(f"{broken.id}")
    assert found("binder ben") == []
    assert len(found("4f2a91c0")) == 2
    assert found("9" * 30) == []


def test_two_runs_are_compared_whichever_is_named_first() -> None:
    before = seeded.run("shop", minutes_ago=60, conf=RunConf(vars={"day": "mon"}))
    after = seeded.run(
        "shop", state=RunState.FAILED, minutes_ago=30, conf=RunConf(vars={"day": "tue"}, full_refresh=True)
    )
    seeded.filled(before, statuses={"stg_ships": NodeStatus.SUCCESS, "dim_ships": NodeStatus.SUCCESS})
    seeded.filled(after, statuses={"stg_ships": NodeStatus.ERROR, "fct_calls": NodeStatus.SUCCESS})
    found = comparing.compare(seeded.id_of(after), seeded.id_of(before))
    assert (found.before.id, found.after.id) == (before.id, after.id)
    assert {each.name: (each.before, each.after) for each in found.differences} == {
        "State": ("Succeeded", "Failed"),
        "full_refresh": ("False", "True"),
        "vars.day": ("mon", "tue"),
    }
    assert {pair.name: pair.change for pair in found.nodes} == {
        "stg_ships": "changed",
        "dim_ships": "removed",
        "fct_calls": "added",
    }
    with pytest.raises(NotFound):
        comparing.compare(seeded.id_of(before), 99_999)


def test_what_is_exported_is_what_fits() -> None:
    for number in range(4):
        seeded.run("shop", minutes_ago=number + 1, message="=HYPERLINK(1)" if number == 0 else None)
    seeded.run("harbour")
    chosen = RunFilter(projects=["shop"], since=now() - timedelta(hours=1))
    rows = list(csv.DictReader(io.StringIO(exporting.runs_as_csv(chosen, most=3).decode())))
    assert [row["project"] for row in rows] == ["shop"] * 3
    assert (rows[0]["state"], rows[0]["queued_seconds"], rows[0]["seconds"]) == ("succeeded", "3.0", "94.0")
    assert rows[0]["message"] == "'=HYPERLINK(1)", "a spreadsheet must not take it for a formula"


def test_known_projects_and_people_come_in_order_and_once() -> None:
    for name, by in (("shop", "ben"), ("harbour", None), ("shop", "anna"), ("shop", "ben")):
        seeded.run(name, by=by)
    assert (history.known_projects(), history.known_people()) == (["harbour", "shop"], ["anna", "ben"])


@pytest.mark.parametrize(
    "chosen",
    [ANY, RunFilter(projects=["shop"]), RunFilter(states=[RunState.FAILED]), RunFilter(people=["anna"])],
    ids=["all", "one project", "failed", "one person"],
)
def test_a_page_of_the_history_is_read_along_an_index_and_never_sorted(chosen: RunFilter) -> None:
    statements: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        statements.append((statement, parameters))

    event.listen(engine(), "before_cursor_execute", note)
    history.list_runs(chosen)
    event.remove(engine(), "before_cursor_execute", note)
    pages = [each for each in statements if "ORDER BY" in each[0]]
    assert pages
    for statement, parameters in pages:
        with engine().connect() as connection:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
        assert all("USING INDEX" in step for step in plan), plan
