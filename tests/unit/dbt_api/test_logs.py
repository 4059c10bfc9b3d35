"""The log by byte range, by line, and its rendered end."""

import json
from pathlib import Path

import pytest

from contracts.dbt_api import LogQuery
from dbt_api.records.files import LOG, AttemptFiles
from dbt_api.records.log_index import LogIndex
from dbt_api.records.logs import RENDERED_LIMIT, blocks_of_lines, rendered_tail, window
from dbt_api.records.marked import lines_with
from dbt_api.records.masking import Mask
from dbt_api.records.record import BLOCK, Record
from dbt_api.routes.ranges import ByteRange, requested_range


def record(folder: Path, content: bytes | str = b"", *, complete: bool = True, mask: Mask | None = None) -> Record:
    """An attempt with this log, under an id of its own: readers share what they know of one attempt."""
    if content:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / LOG).write_bytes(content.encode() if isinstance(content, str) else content)
    return Record(str(folder), 1, complete, None, AttemptFiles(folder), mask or Mask())


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, ByteRange(0, 10)),
        ("bytes=0-3", ByteRange(0, 4)),
        ("bytes=4-", ByteRange(4, 10)),
        ("bytes=4-999", ByteRange(4, 10)),
        ("bytes=-3", ByteRange(7, 10)),
        ("bytes=-99", ByteRange(0, 10)),
        ("bytes=10-", None),
        ("bytes=11-12", None),
        ("bytes=5-4", None),
        ("lines=1-2", ByteRange(0, 10)),
        ("bytes=-", ByteRange(0, 10)),
        (f"bytes={'9' * 5000}-", ByteRange(0, 10)),
    ],
)
def test_ranges(header: str | None, expected: ByteRange | None) -> None:
    assert requested_range(header, 10) == expected


def test_a_range_is_read_exactly(tmp_path: Path) -> None:
    written = b"0123456789" * 200_000
    log = record(tmp_path / "1", written)
    assert b"".join(log.log(5, 1_500_003)) == written[5:1_500_003]
    assert b"".join(record(tmp_path / "2").log(0, 5)) == b""


def test_the_rendered_log_leaves_debug_out_and_keeps_plain_lines(tmp_path: Path) -> None:
    events = [{"info": {"level": level, "msg": f"a {level} line", "name": "X"}} for level in ("debug", "info")]
    log = record(tmp_path / "1", "".join(json.dumps(event) + "\n" for event in events) + "Traceback\n")
    assert rendered_tail(log) == "a info line\nTraceback\n"


def test_a_huge_log_is_cut_at_a_line_and_says_so(tmp_path: Path) -> None:
    text = rendered_tail(record(tmp_path / "1", "".join(f"line {number}\n" for number in range(2_500_000))))
    assert text.startswith("[The log is longer")
    assert text.splitlines()[1].startswith("line ")
    assert text.endswith("line 2499999\n")
    assert len(text) <= RENDERED_LIMIT + 100


def numbered(count: int) -> str:
    return "".join(f"line {number}\n" for number in range(count))


@pytest.mark.parametrize("line", [0, 1, 2, 4_999, 20_000, 43_210, 49_999])
def test_every_line_is_found_by_its_number(tmp_path: Path, line: int) -> None:
    log = record(tmp_path / "1", numbered(50_000))
    shown = window(log, LogQuery(offset=line, limit=2))
    assert b"".join(shown.lines) == "".join(f"line {n}\n" for n in (line, line + 1) if n < 50_000).encode()
    assert shown.next_offset == min(line + 2, 50_000)


def test_lines_of_a_growing_log_are_counted_from_where_the_count_stood(tmp_path: Path) -> None:
    index, written = LogIndex(), b""
    for piece in (b"a\nb", b"c\n", b"x" * (2 * BLOCK), b"\n" * BLOCK, b"\nend"):
        written += piece
        growing = record(tmp_path / "1", written, complete=False)
        assert index.lines(growing) == written.count(b"\n")
    ended = record(tmp_path / "1", written)
    assert index.lines(ended) == written.count(b"\n") + 1
    assert window(ended, LogQuery(tail=1)).lines == [b"end"]
    assert window(growing, LogQuery(tail=1)).lines == [b"\n"]


def test_an_unfinished_line_is_shown_when_it_is_whole_or_the_end_has_come(tmp_path: Path) -> None:
    assert window(record(tmp_path / "1", b"one\ntw", complete=False), LogQuery(limit=9)).lines == [b"one\n"]
    assert window(record(tmp_path / "1", b"one\ntw"), LogQuery(limit=9)).lines == [b"one\n", b"tw"]


def test_a_line_longer_than_a_block_stays_one_line(tmp_path: Path) -> None:
    long = b"x" * (3 * BLOCK) + b"\n"
    assert window(record(tmp_path / "1", b"a\n" + long + b"b\n"), LogQuery(offset=1)).lines == [long, b"b\n"]


RECORDED = (Path(__file__).parents[1] / "services" / "recorded" / "mixed.jsonl").read_bytes()


def messages(lines: list[bytes]) -> list[str]:
    return [json.loads(line)["info"]["msg"] for line in lines]


def test_lines_are_chosen_by_level_text_and_node(tmp_path: Path) -> None:
    log = record(tmp_path / "1", RECORDED)
    everything = window(log, LogQuery(offset=0)).lines
    assert b"".join(everything) == RECORDED
    errors = window(log, LogQuery(level="error")).lines
    assert errors == [line for line in everything if json.loads(line)["info"]["level"] == "error"]
    info = window(log, LogQuery(level="info")).lines
    assert len(info) == sum(json.loads(line)["info"]["level"] != "debug" for line in everything)
    assert messages(window(log, LogQuery(q="BEGAN running NODE model.harbour.broken")).lines) == [
        "Began running node model.harbour.broken"
    ]
    about = window(log, LogQuery(node="model.harbour.broken")).lines
    assert about
    assert all(b"model.harbour.broken" in line for line in about)
    assert (
        window(log, LogQuery(node="model.harbour.broken", level="error", tail=1)).lines
        == [line for line in about if json.loads(line)["info"]["level"] == "error"][-1:]
    )


def test_filtered_windows_join_without_gap_or_overlap(tmp_path: Path) -> None:
    log = record(tmp_path / "1", RECORDED)
    whole = window(log, LogQuery(level="info")).lines
    pieces: list[bytes] = []
    offset = 0
    while lines := (shown := window(log, LogQuery(level="info", offset=offset, limit=3))).lines:
        pieces, offset = pieces + lines, shown.next_offset
    assert pieces == whole
    assert b"".join(blocks_of_lines(log, LogQuery(level="info", download=True))) == b"".join(whole)


def test_lines_with_a_mark_are_found_wherever_they_stand() -> None:
    log = b'{"a"}\n{"b"}\nTraceback\n{"b", "a"}\n\n{"c"}\n{"a"} half'
    assert lines_with((b'"a"', b'"b"'), log) == [b'{"a"}\n', b'{"b"}\n', b'{"b", "a"}\n', b'{"a"} half']
    assert lines_with((b"z",), log) == lines_with((b"a",), b"") == []


def test_text_is_time_and_message(tmp_path: Path) -> None:
    lines = window(record(tmp_path / "1", RECORDED), LogQuery(format="text", limit=2)).lines
    assert lines[0] == b"21:24:43  Running with dbt=1.12.6\n"
