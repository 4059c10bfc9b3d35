"""sources.json as dbt 1.12.6 wrote it, and what is made of it."""

from typing import Any

import pytest

from models.run import NodeResult
from models.run_state import NodeStatus
from services.run.freshness import note_ages, read_freshness

SOURCE = "source.harbour.tide_gauge.tide_readings"


def content(**changes: Any) -> dict[str, Any]:
    result = {
        "unique_id": SOURCE,
        "max_loaded_at": "2026-11-26T02:30:00+00:00",
        "snapshotted_at": "2026-11-26T02:39:42.252381+00:00",
        "max_loaded_at_time_ago_in_s": 582.252381,
        "status": "error",
        "criteria": {
            "warn_after": {"count": 1, "period": "minute"},
            "error_after": {"count": 2, "period": "minute"},
            "filter": None,
        },
    }
    return {"results": [{**result, **changes}]}


def node(message: str | None = None) -> NodeResult:
    return NodeResult(
        invocation_id=1,
        unique_id=SOURCE,
        name="tide_readings",
        resource_type="source",
        status=NodeStatus.ERROR,
        message=message,
    )


def test_a_stale_source_is_read_with_its_limits() -> None:
    [row] = read_freshness(content())
    assert (row.name, row.status) == ("tide_gauge.tide_readings", NodeStatus.ERROR)
    assert (row.warn_after, row.error_after) == ("1 minute", "2 minutes")


@pytest.mark.parametrize(
    "damaged",
    [{}, {"results": None}, {"results": ["x", {}]}, {"results": [{"status": "new", "criteria": {"warn_after": 3}}]}],
)
def test_what_is_not_as_expected_breaks_nothing(damaged: dict[str, Any]) -> None:
    read_freshness(damaged)
    note_ages({}, damaged)


def test_why_a_source_failed_is_said_where_dbts_events_do_not() -> None:
    nodes = {SOURCE: node()}
    note_ages(nodes, content())
    assert nodes[SOURCE].message == "The newest row was 582 s old; late after 1 minute, too old after 2 minutes."
    known = {SOURCE: node("Database Error: no such table")}
    note_ages(known, content())
    assert known[SOURCE].message == "Database Error: no such table"
    failed = {SOURCE: node()}
    note_ages(failed, {"results": [{"unique_id": SOURCE, "status": "runtime error", "error": "no such table"}]})
    assert failed[SOURCE].message == "no such table"
