"""Values from dbt's log and artifacts are read leniently: none of them may break the reading of a run."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.dbt_values import count, moment


@pytest.mark.parametrize("value", [None, "many", -1, float("inf"), float("nan"), {}])
def test_a_count_that_makes_no_sense_is_none(value: Any) -> None:
    assert count(value) is None


@pytest.mark.parametrize(("value", "read"), [(7, 7), ("7", 7), (7.0, 7), (0, 0)])
def test_a_count_is_read_however_it_is_written(value: Any, read: int) -> None:
    assert count(value) == read


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05", "2026-01-02T03:04:05Z", "2026-01-02T05:04:05+02:00"])
def test_a_moment_is_utc_whether_it_says_so_or_not(text: str) -> None:
    assert moment(text) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("text", [None, "", "yesterday", 5])
def test_a_moment_that_makes_no_sense_is_none(text: Any) -> None:
    assert moment(text) is None
