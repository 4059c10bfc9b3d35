"""The log by byte range, and its rendered end."""

import json
from pathlib import Path

import pytest

from dbt_api.records.logs import RENDERED_LIMIT, ByteRange, read_range, rendered_tail, requested_range


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
    ],
)
def test_ranges(header: str | None, expected: ByteRange | None) -> None:
    assert requested_range(header, 10) == expected


def test_a_range_is_read_exactly(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"0123456789" * 20_000)
    assert b"".join(read_range(log, ByteRange(5, 150_003))) == log.read_bytes()[5:150_003]
    assert list(read_range(tmp_path / "none", ByteRange(0, 5))) == []


def test_the_rendered_log_leaves_debug_out_and_keeps_plain_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    events = [{"info": {"level": level, "msg": f"a {level} line", "name": "X"}} for level in ("debug", "info")]
    log.write_text("".join(json.dumps(event) + "\n" for event in events) + "Traceback\n")
    assert rendered_tail(log) == "a info line\nTraceback\n"


def test_a_huge_log_is_cut_at_a_line_and_says_so(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(2_500_000)))
    text = rendered_tail(log)
    assert text.startswith("[The log is longer")
    assert text.splitlines()[1].startswith("line ")
    assert text.endswith("line 2499999\n")
    assert len(text) <= RENDERED_LIMIT + 100
