"""Airflow's structured log records as lines."""

from typing import Any

import pytest

from services.airflow.task_log import lines_of, render


@pytest.mark.parametrize(
    ("record", "lines"),
    [
        (
            {"timestamp": "2026-01-01T00:00:00Z", "level": "info", "event": "Hello", "logger": "task", "lineno": 7},
            ["2026-01-01T00:00:00Z INFO Hello"],
        ),
        ({"event": "1 of 3 OK", "level": "info", "logger": "dbt"}, ["INFO [dbt] 1 of 3 OK"]),
        ({"event": "took", "level": "warning", "seconds": 3}, ["WARNING took seconds=3"]),
        ({"event": "one\ntwo", "level": "error"}, ["ERROR one", "two"]),
        ({"timestamp": None, "event": "bare"}, ["bare"]),
        ("plain text", ["plain text"]),
        ({}, [""]),
    ],
)
def test_a_record_becomes_its_lines(record: Any, lines: list[str]) -> None:
    assert render(record) == lines


def test_a_traceback_follows_its_record() -> None:
    frames = [{"filename": "x.py", "lineno": 3, "name": "run"}]
    problem = {"exc_type": "ValueError", "exc_value": "no\nway", "frames": frames}
    lines = render({"event": "Task failed", "level": "error", "error_detail": [problem]})
    assert lines == [
        "ERROR Task failed",
        "Traceback (most recent call last):",
        '  File "x.py", line 3, in run',
        "ValueError: no",
        "way",
    ]


def test_where_airflow_looked_is_told_only_when_it_found_nothing() -> None:
    looked = [{"event": "::group::Log message source details"}, {"event": "cannot reach it"}, {"event": "::endgroup::"}]
    assert lines_of([*looked, {"event": "Hello"}]) == ["Hello"]
    assert "cannot reach it" in lines_of(looked)
