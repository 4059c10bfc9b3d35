"""A line's text as it is shown: bounded, without control characters, in pieces that carry colours and matches."""

import re
from bisect import bisect_right
from itertools import pairwise

TEXT_LIMIT = 8_000
"""Characters of one line in a window; the whole line can be asked for."""
START, END = "\ue000", "\ue001"
"""Around a match in a marked text. In a log's own text they are replaced."""

Piece = list[str]
"""Text and the names of its styles, separated by spaces."""

_SEQUENCE = re.compile(
    r"\x1b\[(?P<sgr>[0-9;]{0,40})m"  # colours
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # other orders to a terminal
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b[@-Z\\^_]"
)
_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_MARKS = {1: "bold", 2: "dim", 3: "italic", 4: "underline"}
_UNSEEN = [code for code in (*range(32), 0x7F) if chr(code) not in "\n\t"]
_TURNING = (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F)
_TABLE = dict.fromkeys((*_UNSEEN, *_TURNING, ord(START), ord(END)), 0xFFFD)
"""Control characters, and what turns the direction of writing, become the sign of an unreadable character."""


def plain(text: str) -> str:
    """The text without orders to a terminal: what is searched."""
    return _SEQUENCE.sub("", text) if "\x1b" in text else text


def shown(text: str) -> str:
    """All of the text, as it is shown."""
    return plain(text).replace("\r\n", "\n").translate(_TABLE)


def rows_of(text: str) -> int:
    """How many rows a line takes on the screen when long rows aren't wrapped."""
    return plain(text).replace("\r\n", "\n")[:TEXT_LIMIT].count("\n") + 1


def pieces(text: str, marked: str | None = None) -> str | list[Piece]:
    """The text as shown; in pieces when there are colours in it, or matches in `marked`, its marked shown text."""
    cut = shown(text)[:TEXT_LIMIT]
    styles = _styles(text) if "\x1b" in text else []
    changes = _matches(marked) if marked else []
    if not styles and not changes:
        return cut
    edges = {0, len(cut), *(at for at, _ in styles), *(at for at, _ in changes)}
    return [
        [cut[start:end], f"{_at(styles, start)} {_at(changes, start)}".strip()]
        for start, end in pairwise(sorted(edge for edge in edges if edge <= len(cut)))
    ]


def _at(changes: list[tuple[int, str]], place: int) -> str:
    """The style that holds at a place."""
    position = bisect_right(changes, place, key=lambda change: change[0])
    return changes[position - 1][1] if position else ""


def _styles(text: str) -> list[tuple[int, str]]:
    """Where in the shown text a style begins; the style of no name ends them all."""
    found: list[tuple[int, str]] = []
    active: dict[str, str] = {}
    at = after = 0
    for sequence in _SEQUENCE.finditer(text):
        at += len(text[after : sequence.start()].replace("\r\n", "\n"))
        after = sequence.end()
        if at >= TEXT_LIMIT:
            break
        if sequence["sgr"] is not None:
            _apply([int(code or 0) for code in sequence["sgr"].split(";")], active)
            found.append((at, " ".join(active.values())))
    return found


def _matches(marked: str) -> list[tuple[int, str]]:
    """Where in the shown text matches begin and end."""
    found: list[tuple[int, str]] = []
    at = 0
    for part in re.split(f"([{START}{END}])", marked):
        if part in (START, END):
            found.append((at, "match" if part == START else ""))
        else:
            at += len(part)
    return found


def _apply(codes: list[int], active: dict[str, str]) -> None:
    while codes:
        code = codes.pop(0)
        if code in (38, 48):
            del codes[: 2 if codes[:1] == [5] else 4]  # colours of more than the 16 that every theme has
        elif code == 0:
            active.clear()
        elif code in _MARKS:
            active[_MARKS[code]] = _MARKS[code]
        elif code == 22:
            active.pop("bold", None), active.pop("dim", None)
        elif code in (23, 24):
            active.pop(_MARKS[code - 20], None)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            active["colour"] = _COLOURS[code % 10]
        elif code == 39:
            active.pop("colour", None)
