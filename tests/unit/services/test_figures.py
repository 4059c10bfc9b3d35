"""Figures of the history: rates, medians, slow runs, failing projects, operators, nodes that make trouble."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.operators import OperatorName
from contracts.run_conf import DbtCommand, RunConf
from models.run_state import NodeStatus, RunState
from models.types import now
from services import comparing, figures, history, node_figures
from services.database import engine, migrate
from services.errors import NotFound
from services.history import RunFilter
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
    seeded.run("mended", state=RunState.FAILED, minutes_ago=60)
    seeded.run("mended", minutes_ago=50)
    seeded.run("broken", minutes_ago=60)
    seeded.run("broken", state=RunState.FAILED, minutes_ago=50)
    seeded.run("broken", state=RunState.CANCELLED, minutes_ago=40)
    seeded.run("broken", state=RunState.RUNNING, minutes_ago=1)
    assert figures.summary(ANY).failing_projects == ["broken"]


def test_a_run_is_slow_against_its_own_like_only() -> None:
    for _ in range(5):
        seeded.run("shop", seconds=10)
        seeded.run("shop", seconds=100, conf=RunConf(command=DbtCommand.RUN))
    slow = seeded.run("shop", seconds=40)
    assert [each.run_id for each in figures.timings(ANY) if each.is_slow] == [slow.id]
    assert figures.usual_durations([slow]) == {("shop", "build"): 10, ("shop", "run"): 100}
    assert not figures.is_slow(4, 1), "some seconds more are noise, however many times"


def test_operators_are_compared() -> None:
    seeded.run(seconds=10)
    seeded.run(seconds=30, operator=OperatorName.KUBERNETES)
    seeded.run(state=RunState.FAILED, operator=OperatorName.KUBERNETES)
    found = figures.by_operator(ANY)
    assert found[OperatorName.DBT_API].median_seconds == 10
    assert (found[OperatorName.KUBERNETES].runs, found[OperatorName.KUBERNETES].success_rate) == (2, 0.5)


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
        seeded.run("shop", minutes_ago=number + 1)
    seeded.run("harbour")
    found = history.newest_runs(RunFilter(projects=["shop"], since=now() - timedelta(hours=1)), most=3)
    assert [run.project for run in found] == ["shop"] * 3
