"""Logs are shown by ranges: in order, filtered, merged by time, with lines that keep their names."""

from pathlib import Path

import pytest

from models.run import Invocation
from services import logs
from services.errors import InvalidInput, NotFound
from services.logs import Query
from tests.unit.services.logs.made import EVERYTHING, add, event, texts

RECORDED = Path(__file__).parents[1] / "recorded"


def test_a_log_that_has_not_begun_has_no_lines(invocation: Invocation) -> None:
    view = logs.open_view(invocation, EVERYTHING)
    assert (view.total, view.rows(0, 10), view.complete, view.read) == (0, [], False, 1.0)
    assert view.heights() == []


@pytest.mark.parametrize("first", [0, 1, 2, 999, 1000, 4998])
def test_a_range_begins_anywhere(invocation: Invocation, first: int) -> None:
    add(invocation, b"".join(event(f"line {number}") for number in range(1, 5001)))
    rows = logs.open_view(invocation, EVERYTHING).rows(first, 2)
    assert [(row.line, row.text) for row in rows] == [(f"{n}", f"line {n}") for n in range(first + 1, first + 3)]
    assert logs.open_view(invocation, EVERYTHING).rows(10**6, 5) == []


def test_dbts_events_are_told_with_level_time_and_node(invocation: Invocation) -> None:
    add(invocation, (RECORDED / "mixed.jsonl").read_bytes())
    view = logs.open_view(invocation, EVERYTHING)
    rows = view.rows(0, view.total)
    assert {row.level for row in rows} == {"debug", "info", "warn", "error"}
    assert all(row.time for row in rows)
    broken = [row for row in rows if row.node == "model.harbour.broken" and row.level == "error"]
    assert any("no_such_column" in str(row.text) and "\n" in str(row.text) for row in broken)


def test_levels_are_hidden_but_counted(invocation: Invocation) -> None:
    add(invocation, event("a", "debug") + event("b") + event("c", "error") + event("d", "debug"))
    view = logs.open_view(invocation, Query(hidden=frozenset({"debug"})))
    assert [row.line for row in view.rows(0, 9)] == ["2", "3"]
    assert view.counts() == {"error": 1, "warn": 0, "info": 1, "debug": 2}
    assert (view.total, view.lines) == (2, 4)


def test_one_nodes_lines(invocation: Invocation) -> None:
    add(invocation, event("a", node="model.x.a") + event("b", node="model.x.b") + event("a again", node="model.x.a"))
    assert texts(invocation, Query(node="model.x.a")) == ["a", "a again"]
    assert texts(invocation, Query(node="model.x.nobody")) == []


def test_the_height_of_a_page_counts_the_rows_of_its_lines(invocation: Invocation) -> None:
    add(invocation, event("one\ntwo\nthree") + event("one\n") * 99 + event("last"))
    assert logs.open_view(invocation, EVERYTHING).heights() == [102, 1]


def test_sources_are_told_apart_and_merged_by_time(invocation: Invocation) -> None:
    add(
        invocation, b"[source] Cloning\n" + event("dbt starts", second=2) + b"Traceback\n" + event("dbt ends", second=6)
    )
    task = [
        "2026-11-23T21:00:01Z INFO Submitting",
        "2026-11-23T21:00:02.5Z INFO [base] dbt starts",
        "2026-11-23T21:00:02.5Z INFO [dbt] dbt starts",
        "2026-11-23T21:00:04Z ERROR Task failed",
        "Traceback (most recent call last):",
        "2026-11-23T21:00:07Z INFO Done",
    ]
    add(invocation, "\n".join(task).encode() + b"\n", "airflow")
    assert texts(invocation, Query(source="init")) == ["[source] Cloning"]
    assert texts(invocation) == ["dbt starts", "Traceback", "dbt ends"]
    assert len(texts(invocation, Query(source="airflow"))) == 6
    assert texts(invocation, Query(source="all")) == [
        "INFO Submitting", "[source] Cloning", "dbt starts", "Traceback", "ERROR Task failed",
        "Traceback (most recent call last):", "dbt ends", "INFO Done",
    ]  # fmt: skip
    rows = logs.open_view(invocation, Query(source="all", hidden=frozenset({"info"}))).rows(0, 9)
    assert [(row.line, row.level, row.origin) for row in rows] == [
        ("a4", "error", "airflow"),
        ("a5", "error", "airflow"),
    ]


def test_airflows_copy_of_a_pods_event_reads_like_the_event(invocation: Invocation) -> None:
    copied = b"2026-11-23T21:00:02Z INFO [base] " + event("broke", "error", node="model.x.a")
    add(invocation, copied, "airflow")
    [row] = logs.open_view(invocation, Query(source="airflow")).rows(0, 1)
    assert (row.level, row.node, row.text, row.origin) == ("error", "model.x.a", "[base] broke", "copy")


def test_a_line_is_found_again_by_its_name(invocation: Invocation) -> None:
    add(invocation, b"".join(event(str(n), "debug" if n % 2 else "info", second=n) for n in range(1, 51)))
    add(invocation, b"2026-11-23T21:00:20.5Z INFO between\n", "airflow")
    view = logs.open_view(invocation, Query(source="all", hidden=frozenset({"debug"})))
    assert [view.rows(view.position_of(line) or 0, 1)[0].line for line in ("20", "a1", "22")] == ["20", "a1", "22"]
    assert view.rows(view.position_of("21") or 0, 1)[0].line == "22", "a hidden line leads to the next one shown"
    assert view.position_of("51") is None


def test_what_was_known_of_a_growing_log_is_told(invocation: Invocation) -> None:
    add(invocation, event("a", second=1) + event("b", second=5))
    merged = Query(source="all")
    before = logs.open_view(invocation, merged)
    add(invocation, event("c", second=6))
    add(invocation, b"2026-11-23T21:00:03Z INFO late\n", "airflow")
    after = logs.open_view(invocation, merged)
    assert before.same(before.version) == 2
    assert after.same(before.version) == 1, "a line came between a and b"
    assert after.same("0.0") == after.same("nonsense") == 0


def test_lines_are_followed_without_a_gap(invocation: Invocation) -> None:
    seen: list[str] = []
    for start in range(0, 900, 137):
        add(invocation, b"".join(event(f"{number}") for number in range(start, start + 137)))
        seen += [str(row.text) for row in logs.open_view(invocation, EVERYTHING).rows(len(seen), 1000)]
    assert seen == [str(number) for number in range(len(seen))]


def test_a_line_that_is_still_being_written_waits_and_a_killed_dbts_last_one_is_shown(invocation: Invocation) -> None:
    add(invocation, b"whole\nhal")
    assert texts(invocation) == ["whole"]
    invocation.log_complete = True
    assert texts(invocation) == ["whole", "hal"]
    add(invocation, b"f\n")
    assert texts(invocation) == ["whole", "half"]


def test_a_long_line_is_cut_and_can_be_had_whole(invocation: Invocation) -> None:
    add(invocation, event("x" * 20_000 + "end"))
    view = logs.open_view(invocation, EVERYTHING)
    [row] = view.rows(0, 1)
    assert (len(row.text), row.more) == (8_000, 12_003)
    assert view.whole("1").endswith("end")
    with pytest.raises(NotFound):
        view.whole("2")


def test_the_nodes_that_a_log_speaks_of_are_counted(invocation: Invocation) -> None:
    add(invocation, event("a", node="model.x.b") + event("b", node="model.x.a") + event("c", node="model.x.b"))
    assert logs.nodes_in(invocation) == {"model.x.b": 2, "model.x.a": 1}


@pytest.mark.parametrize("wrong", [{"hidden": frozenset({"loud"})}, {"find": "x" * 301}])
def test_a_wrong_question_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        Query(**wrong)  # type: ignore[arg-type]
