"""Search reads the whole log, a piece at a time, and finds what is read on the screen, whatever the text."""

import time

import pytest

from models.run import Invocation
from services import logs
from services.errors import InvalidInput
from services.logs import Query
from tests.unit.services.logs.made import add, event, texts


def found(invocation: Invocation, find: str, *, regex: bool = False) -> list[str]:
    view = logs.open_view(invocation, Query(find=find, regex=regex), search_seconds=60)
    return [view.rows(int(row), 1)[0].line for row in view.matches()]


@pytest.mark.parametrize(
    ("find", "regex", "lines"),
    [
        ("ORDERS", False, ["1", "4"]),
        ('"main"."orders"', False, ["1"]),
        ("back\\slash", False, ["2"]),
        ("über", False, ["3"]),
        ("ÜBER", False, ["3"]),
        ("a.c", False, []),
        ("red orders", False, ["4"]),
        (r"^select .* from", True, ["1"]),
        (r"(ord|cust)\w+$", True, ["4"]),
        ("info", False, []),
        ("one\ntwo", False, ["5"]),
    ],
)
def test_what_is_read_is_found(invocation: Invocation, find: str, regex: bool, lines: list[str]) -> None:
    add(invocation, event('select * from "main"."orders" where x') + event("a back\\slash abc"))
    add(invocation, event("Über") + event("\x1b[31mred\x1b[0m orders") + event("one\ntwo") + b"plain\n")
    assert found(invocation, find, regex=regex) == lines


def test_matches_are_marked_where_they_are(invocation: Invocation) -> None:
    add(invocation, event("🚀 ab \x1b[32mAB\x1b[0m b"))
    [row] = logs.open_view(invocation, Query(find="ab b|b", regex=True)).rows(0, 1)
    assert row.text == [["🚀 a", ""], ["b", "match"], [" ", ""], ["AB", "green match"], [" b", "match"]]


def test_only_matching_lines_and_those_in_hidden_levels(invocation: Invocation) -> None:
    add(invocation, event("a 1", "debug") + event("b 2") + event("a 3") + event("b 4"))
    query = Query(find="a", only=True, hidden=frozenset({"debug"}))
    assert texts(invocation, query) == ["a 3"]
    assert logs.open_view(invocation, query).hidden_matches() == 1


@pytest.mark.parametrize("pattern", ["(", "[z-a]", "(?<=x)y", "*"])
def test_no_expression_is_told_not_searched(invocation: Invocation, pattern: str) -> None:
    add(invocation, event("x"))
    with pytest.raises(InvalidInput, match="No regular expression"):
        logs.open_view(invocation, Query(find=pattern, regex=True))


def test_an_expression_that_explodes_elsewhere_takes_no_time_here(invocation: Invocation) -> None:
    add(invocation, event("a" * 5_000) * 50)
    began = time.monotonic()
    assert found(invocation, r"(a+)+$b", regex=True) == []
    assert time.monotonic() - began < 20


def test_a_search_goes_on_where_it_stopped_and_takes_in_what_is_new(invocation: Invocation) -> None:
    add(invocation, b"".join(event(f"line {number}") for number in range(12_000)))
    query = Query(find="line 11999")
    first = logs.open_view(invocation, query, search_seconds=0)
    assert 0 < first.searched < 1
    assert not len(first.matches())
    while (view := logs.open_view(invocation, query, search_seconds=0)).searched < 1:
        pass
    assert view.matches().tolist() == [11_999]
    add(invocation, event("line 11999 again"))
    assert logs.open_view(invocation, query).matches().tolist() == [11_999, 12_000]
    logs.append(logs.path_of(invocation), 0, event("line 11999, anew"))
    assert logs.open_view(invocation, query).matches().tolist() == [0]
