"""Collected logs: appended safely, read in windows, bounded in memory."""

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.run import Invocation
from services import logs
from services.settings import settings

RECORDED = Path(__file__).parent / "recorded"


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def invocation() -> Invocation:
    return Invocation(run_id=7, try_number=1, task_id="some-task")


def line(number: int, level: str = "info") -> bytes:
    info = {"name": "Note", "level": level, "msg": f"line {number}", "ts": "2026-11-23T21:00:00Z"}
    return json.dumps({"info": info, "data": {}}).encode() + b"\n"


def write(invocation: Invocation, numbers: range) -> None:
    path = logs.path_of(invocation)
    logs.append(path, logs.size_of(path), b"".join(line(number) for number in numbers))


def test_a_log_that_has_not_begun_is_an_empty_window(invocation: Invocation) -> None:
    window = logs.read_window(invocation)
    assert (window.lines, window.total_lines, window.complete, window.truncated) == ([], 0, False, False)


def test_what_a_killed_collector_wrote_behind_its_cursor_is_cut_off(invocation: Invocation) -> None:
    path = logs.path_of(invocation)
    logs.append(path, 0, b"one\ntwo\nthr")
    logs.append(path, 4, b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"


def test_the_tail_is_shown_by_default(invocation: Invocation) -> None:
    write(invocation, range(1, 5001))
    window = logs.read_window(invocation, last=10)
    assert [one.text for one in window.lines] == [f"line {number}" for number in range(4991, 5001)]
    assert (window.first_number, window.total_lines, window.truncated) == (4991, 5000, True)
    assert window.lines[0].number == 4991


@pytest.mark.parametrize("first", [1, 2, 999, 1000, 1001, 3000, 4999, 5000])
def test_a_window_begins_at_any_line(invocation: Invocation, first: int) -> None:
    write(invocation, range(1, 5001))
    window = logs.read_window(invocation, first=first, last=3)
    assert [one.text for one in window.lines] == [f"line {number}" for number in range(first, min(first + 3, 5001))]


def test_a_window_behind_the_end_is_empty_and_following_a_growing_log_misses_nothing(invocation: Invocation) -> None:
    seen: list[str] = []
    for start in range(1, 2000, 137):
        write(invocation, range(start, start + 137))
        seen += [one.text for one in logs.read_window(invocation, first=len(seen) + 1).lines]
    assert seen == [f"line {number}" for number in range(1, len(seen) + 1)]
    assert logs.read_window(invocation, first=10**9).lines == []


def test_a_line_that_is_still_being_written_waits(invocation: Invocation) -> None:
    path = logs.path_of(invocation)
    logs.append(path, 0, b"whole\nhal")
    assert [one.text for one in logs.read_window(invocation).lines] == ["whole"]
    logs.append(path, 9, b"f\n")
    assert [one.text for one in logs.read_window(invocation).lines] == ["whole", "half"]


def test_the_last_line_of_a_killed_dbt_is_shown_at_the_end(invocation: Invocation) -> None:
    logs.append(logs.path_of(invocation), 0, b"whole\ntorn")
    invocation.log_complete = True
    assert [one.text for one in logs.read_window(invocation).lines] == ["whole", "torn"]


def test_a_file_that_became_shorter_is_indexed_anew(invocation: Invocation) -> None:
    write(invocation, range(1, 3001))
    assert logs.read_window(invocation, last=1).total_lines == 3000
    logs.append(logs.path_of(invocation), 0, line(1))
    assert [one.text for one in logs.read_window(invocation).lines] == ["line 1"]


def test_dbts_events_are_told_with_level_time_and_node(invocation: Invocation) -> None:
    logs.append(logs.path_of(invocation), 0, (RECORDED / "mixed.jsonl").read_bytes())
    window = logs.read_window(invocation)
    assert {one.level for one in window.lines} == {"debug", "info", "warn", "error"}
    assert all(one.timestamp for one in window.lines)
    broken = [one for one in window.lines if one.node == "model.harbour.broken" and one.level == "error"]
    assert any("no_such_column" in one.text and "\n" in one.text for one in broken)


def test_airflows_task_log_is_told_with_level_and_time(invocation: Invocation) -> None:
    text = b"2026-11-23T21:00:00.123Z ERROR Task failed\nTraceback (most recent call last):\n"
    logs.append(logs.path_of(invocation, "airflow"), 0, text)
    first, second = logs.read_window(invocation, "airflow").lines
    assert (first.level, first.timestamp is not None) == ("error", True)
    assert (second.level, second.timestamp) == ("info", None)


def test_a_million_lines_are_read_in_windows_with_little_memory(invocation: Invocation) -> None:
    path = logs.path_of(invocation)
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        for start in range(1, 1_000_001, 10_000):
            file.write(
                b"".join(b'{"info": {"msg": "line %d"}, "data": {}}\n' % n for n in range(start, start + 10_000))
            )
    tracemalloc.start()
    tail, middle = logs.read_window(invocation, last=1000), logs.read_window(invocation, first=500_000, last=1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tail.total_lines, tail.lines[-1].text, middle.lines[0].text) == (1_000_000, "line 1000000", "line 500000")
    assert peak < 20 << 20
