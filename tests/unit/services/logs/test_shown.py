"""Text from a log is text: no order to a terminal, no hidden character, and colours only as names."""

import pytest

from services.logs.shown import TEXT_LIMIT, pieces, plain, rows_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<b>&amp;</b>", "<b>&amp;</b>"),
        ("nul \x00 bell \x07", "nul � bell �"),
        ("turned \u202e round", "turned � round"),
        ("\x1b]0;title\x07clear \x1b[2J\x1b[?25lend", "clear end"),
        ("cut off \x1b[31", "cut off �[31"),
        ("a\r\nb\rc\td", "a\nb�c\td"),
        ("own \ue000 marks \ue001", "own � marks �"),
    ],
)
def test_nothing_is_hidden_and_nothing_is_done(text: str, shown: str) -> None:
    assert pieces(text) == shown


def test_colours_become_names() -> None:
    text = "\x1b[1;31mbold red\x1b[22m red\x1b[0m plain \x1b[38;5;200mnone\x1b[94m blue\x1b[39m."
    assert pieces(text) == [
        ["bold red", "bold red"], [" red", "red"], [" plain ", ""], ["none", ""], [" blue", "blue"], [".", ""],
    ]  # fmt: skip


def test_a_line_full_of_orders_is_bounded() -> None:
    junk = "\x1b[31;32;33m" * 50_000 + "x" + "\x1b[" + "9" * 10_000 + "m"
    assert plain(junk) == "x"
    assert pieces(junk) == [["x", "yellow"]]
    assert len(str(pieces("\x1b[31mx" * 50_000))) < 60 * TEXT_LIMIT


@pytest.mark.parametrize(("text", "rows"), [("", 1), ("a\nb", 2), ("a\r\nb", 2), ("\n" * 20_000, 8_001)])
def test_rows_are_those_that_are_drawn(text: str, rows: int) -> None:
    assert rows_of(text) == rows == str(pieces(text)).count("\n") + 1
