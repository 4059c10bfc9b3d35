"""Log lines are read leniently: nothing that a process can print stops the reader."""

import json

import pytest

from contracts.log_event import parse_log_line


def test_a_dbt_event_is_understood() -> None:
    line = {
        "info": {
            "name": "NodeFinished",
            "level": "debug",
            "msg": "\x1b[31mdone\x1b[0m",
            "ts": "2026-11-01T10:00:00.5Z",
        },
        "data": {"node_info": {"unique_id": "model.harbour.ships", "node_status": "success"}},
    }
    event = parse_log_line(json.dumps(line))
    assert (event.name, event.level, event.message) == ("NodeFinished", "debug", "done")
    assert event.unique_id == "model.harbour.ships"
    assert event.timestamp is not None
    assert event.timestamp.utcoffset() is not None


@pytest.mark.parametrize(
    "line",
    ["Traceback (most recent call last):", "", "{", "[]", "null", '{"info": 3}', '{"info": {"ts": "never"}}', "42"],
)
def test_anything_else_becomes_its_own_message(line: str) -> None:
    assert parse_log_line(line + "\n").message == line


def test_an_unknown_level_counts_as_info() -> None:
    assert parse_log_line('{"info": {"level": "shout", "msg": "x"}}').level == "info"
