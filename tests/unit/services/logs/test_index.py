"""The index of a log grows with it, is made again when it is missing, and never tells of lines that have gone."""

import fcntl
import threading
import tracemalloc
from pathlib import Path

import pytest

from benchmarks import long_log
from models.run import Invocation
from services import logs
from services.logs import index
from tests.unit.services.logs.made import EVERYTHING, add, event, texts


def beside(invocation: Invocation) -> list[Path]:
    path = logs.path_of(invocation)
    return [path.with_name(f"{path.name}.index"), path.with_name(f"{path.name}.nodes")]


def test_what_a_killed_collector_wrote_behind_its_cursor_is_cut_off(invocation: Invocation) -> None:
    path = logs.path_of(invocation)
    logs.append(path, 0, b"one\ntwo\nthree\nfo")
    assert texts(invocation) == ["one", "two", "three"]
    logs.append(path, 4, b"2\n")
    assert path.read_bytes() == b"one\n2\n"
    assert texts(invocation) == ["one", "2"]
    logs.append(path, 5, b"nd\n")
    assert texts(invocation) == ["one", "2nd"]


def test_a_log_that_was_lost_and_fetched_again_is_indexed_anew(invocation: Invocation) -> None:
    add(invocation, b"".join(event(f"old {number}") for number in range(3000)))
    old = logs.open_view(invocation, EVERYTHING).version
    logs.append(logs.path_of(invocation), 0, event("new"))
    assert texts(invocation) == ["new"]
    assert logs.open_view(invocation, EVERYTHING).same(old) == 0


def test_the_collector_leaves_an_index_and_a_missing_one_is_made_again(invocation: Invocation) -> None:
    add(invocation, event("a", node="model.x.a") + event("b", "error", node="model.x.b"))
    left = [file.read_bytes() for file in beside(invocation)]
    for file in beside(invocation):
        file.unlink()
    assert texts(invocation) == ["a", "b"]
    assert [file.read_bytes() for file in beside(invocation)] == left


def test_an_index_that_was_left_unfinished_goes_on(invocation: Invocation) -> None:
    add(invocation, event("a", node="model.x.a") + event("b", node="model.x.b"))
    records, names = beside(invocation)
    records.write_bytes(records.read_bytes()[:-5])
    names.write_text(names.read_text()[:-3])
    add(invocation, event("c", node="model.x.c"))
    view = logs.open_view(invocation, EVERYTHING)
    assert [(row.text, row.node) for row in view.rows(0, 9)] == [
        ("a", "model.x.a"), ("b", "model.x.b"), ("c", "model.x.c"),
    ]  # fmt: skip


def test_an_index_of_another_log_is_thrown_away(invocation: Invocation) -> None:
    add(invocation, event("long " * 50) * 3)
    logs.path_of(invocation).write_bytes(b"short\n")
    assert texts(invocation) == ["short"]


def test_several_readers_at_once_index_a_log_once(invocation: Invocation) -> None:
    path = logs.path_of(invocation)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(long_log.lines(12_000)))
    readers = [threading.Thread(target=index.extend, args=(path,), kwargs={"seconds": 60}) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert len(index.load(path).records) == 12_000


def test_a_long_log_is_indexed_in_several_goes(invocation: Invocation) -> None:
    path = logs.path_of(invocation)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(long_log.lines(12_000)))
    steps = [logs.open_view(invocation, EVERYTHING, seconds=0).read for _ in range(3)]
    assert steps[0] < steps[1] < steps[2] == 1.0
    assert logs.open_view(invocation, EVERYTHING).total == 12_000


def test_a_log_of_many_lines_is_read_with_little_memory(invocation: Invocation) -> None:
    path = logs.path_of(invocation)
    path.parent.mkdir(parents=True)
    line = b'{"info": {"msg": "line %d"}, "data": {}}\n'
    with path.open("wb") as file:
        file.writelines(line % number for number in range(1, 200_001))
    index.extend(path, seconds=600)
    tracemalloc.start()
    rows = logs.open_view(invocation, EVERYTHING).rows(100_000, 1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (rows[0].text, len(rows)) == ("line 100001", 1000)
    assert peak < 20 << 20


@pytest.mark.parametrize("size", [0, 1, 5_000, 5_001])
def test_any_number_of_lines_is_indexed(invocation: Invocation, size: int) -> None:
    add(invocation, b"".join(long_log.lines(size)))
    assert logs.open_view(invocation, EVERYTHING).total == size


def test_a_lock_on_one_log_holds_up_no_other(invocation: Invocation) -> None:
    add(invocation, b"dbt\n")
    with logs.path_of(invocation).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        add(invocation, b"2026-11-23T21:00:00Z INFO airflow\n", "airflow")
