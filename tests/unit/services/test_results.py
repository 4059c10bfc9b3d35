"""Node results folded from logs that dbt 1.12.6 really wrote."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.log_event import LogEvent, parse_log_line
from models.run_state import NodeStatus
from services.results import Fold, close, fold, name_causes

RECORDED = Path(__file__).parent / "recorded"


def events(name: str) -> list[LogEvent]:
    return [parse_log_line(line) for line in (RECORDED / f"{name}.jsonl").read_text().splitlines()]


def artifact(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((RECORDED / name).read_text())
    return content


def statuses(result: Fold) -> dict[str, str]:
    return {node.name: node.status.value for node in result.nodes.values()}


MIXED = {
    "ships": "success",
    "stg_ships": "success",
    "ships_snapshot": "success",
    "no_negative": "pass",
    "not_null_stg_ships_id": "pass",
    "unique_stg_ships_id": "pass",
    "broken": "error",
    "slow": "success",
    "strict": "success",
    "accepted_values_strict_id__1": "fail",
    "accepted_values_strict_name__anna": "warn",
    "after_broken": "skipped",
    "after_strict": "skipped",
    "far_after": "skipped",
}


def test_every_status_of_a_build_is_told_as_dbt_means_it() -> None:
    result = fold(events("mixed"))
    assert statuses(result) == MIXED
    assert (result.node_total, result.threads, result.dbt_version, result.success) == (14, 2, "1.12.6", False)


def test_the_events_agree_with_run_results() -> None:
    result = fold(events("mixed"))
    assert {node.unique_id: node.status.value for node in result.nodes.values()} == {
        row["unique_id"]: row["status"] for row in artifact("mixed.run_results.json")["results"]
    }


def test_a_result_carries_what_happened() -> None:
    nodes = {node.name: node for node in fold(events("mixed")).nodes.values()}
    seed, broken, failing = nodes["ships"], nodes["broken"], nodes["accepted_values_strict_id__1"]
    assert (seed.rows, seed.resource_type, seed.relation) == (3, "seed", '"db"."main"."ships"')
    assert seed.started_at
    assert seed.finished_at
    assert seed.finished_at > seed.started_at
    assert "no_such_column" in (broken.message or "")
    assert broken.failures is None
    assert (failing.failures, failing.message) == (2, "Got 2 results, configured to fail if != 0")


@pytest.mark.parametrize("piece", [1, 7, 40])
def test_folding_in_pieces_is_folding_at_once(piece: int) -> None:
    recorded, result = events("mixed"), Fold()
    for start in range(0, len(recorded), piece):
        fold(recorded[start : start + piece], result)
    assert dumped(result) == dumped(fold(recorded))


@pytest.mark.parametrize("repeat", [lambda e: e + e, lambda e: [one for event in e for one in (event, event)]])
def test_events_that_come_twice_change_nothing(repeat: Callable[[list[LogEvent]], list[LogEvent]]) -> None:
    assert dumped(fold(repeat(events("mixed")))) == dumped(fold(events("mixed")))


def dumped(result: Fold) -> dict[str, Any]:
    return {unique_id: node.model_dump() for unique_id, node in result.nodes.items()}


@pytest.mark.parametrize(("log", "run_results"), [("interrupted", "interrupted.run_results.json"), ("killed", None)])
def test_the_node_that_was_cut_short_is_interrupted(log: str, run_results: str | None) -> None:
    result = fold(events(log))
    close(result, run_results=artifact(run_results) if run_results else None)
    assert statuses(result) == {
        "ships": "success",
        "stg_ships": "success",
        "no_negative": "pass",
        "not_null_stg_ships_id": "pass",
        "unique_stg_ships_id": "pass",
        "slow": "interrupted",
    }
    assert result.node_total == 9


def test_an_interrupt_is_known_by_its_absence_from_run_results_where_the_adapter_cannot_cancel() -> None:
    result = fold(event for event in events("interrupted") if event.name != "LogCancelLine")
    assert statuses(result)["slow"] == "error"
    close(result, run_results=artifact("interrupted.run_results.json"))
    assert statuses(result)["slow"] == "interrupted"


def test_run_results_add_compiled_sql_to_bad_nodes() -> None:
    result = fold(events("mixed"))
    close(result, run_results=artifact("mixed.run_results.json"))
    compiled = {node.name: node.compiled_sql for node in result.nodes.values() if node.compiled_sql}
    assert "no_such_column" in compiled["broken"]
    assert "stg_ships" not in compiled
    assert statuses(result) == MIXED


def test_a_skipped_node_names_the_failure_it_was_skipped_for() -> None:
    result = fold(events("mixed"))
    graph = {name: node["depends_on"]["nodes"] for name, node in artifact("mixed.manifest.json")["nodes"].items()}
    name_causes(result.nodes, graph)
    causes = {node.name: node.skipped_because for node in result.nodes.values() if node.skipped_because}
    assert causes == {
        "after_broken": "model.harbour.broken",
        "far_after": "model.harbour.broken",
        "after_strict": "test.harbour.accepted_values_strict_id__1.7de80b3d63",
    }


def test_a_usage_error_is_the_invocations_error() -> None:
    assert fold(events("usage")).error == "Error: No such option '--no-such-flag'."


def test_an_empty_selection_has_no_nodes() -> None:
    result = fold(events("nothing"))
    assert (result.node_total, result.nodes, result.success) == (0, {}, True)


def test_lines_that_are_no_events_are_harmless() -> None:
    result = fold(parse_log_line(line) for line in ["", "{", "[]", '{"info": 1}', "Traceback (most recent call last):"])
    assert result.nodes == {}


def test_a_late_repeat_of_a_start_does_not_reopen_a_node() -> None:
    recorded = events("mixed")
    result = fold([*recorded, *[event for event in recorded if event.name == "NodeStart"]])
    assert all(node.status is not NodeStatus.STARTED for node in result.nodes.values())


@pytest.mark.parametrize(
    ("told", "rows", "size", "query"),
    [
        (
            {"_message": "CREATE TABLE (7 rows)", "rows_affected": 7, "bytes_processed": 4096, "job_id": "j1"},
            7,
            4096,
            "j1",
        ),
        ({"_message": "SUCCESS 7", "rows_affected": 7, "query_id": "01b2"}, 7, None, "01b2"),
        ({"_message": "OK -1", "rows_affected": -1, "data_scanned_in_bytes": 10}, None, 10, None),
        ({}, None, None, None),
    ],
    ids=["BigQuery", "Snowflake", "Athena", "DuckDB"],
)
def test_what_an_adapter_measured_is_kept_under_one_name(
    told: dict[str, Any], rows: int | None, size: int | None, query: str | None
) -> None:
    result = fold(events("mixed"))
    node = next(iter(result.nodes.values()))
    node.rows = None
    row = {"unique_id": node.unique_id, "adapter_response": told}
    close(result, run_results={"results": [row]})
    assert (node.rows, node.bytes_processed, node.query_id) == (rows, size, query)


def test_dbts_first_word_the_end_of_parsing_and_its_last_word_are_noted() -> None:
    result = fold(events("mixed"))
    assert result.began_at
    assert result.parsed_at
    assert result.ended_at
    first = min(node.started_at for node in result.nodes.values() if node.started_at)
    assert result.began_at < result.parsed_at < first < result.ended_at
