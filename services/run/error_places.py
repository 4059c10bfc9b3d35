"""Which line a warehouse's error message is about: of the statement sent, of the compiled SQL, of the file. Pure.

A warehouse counts the lines of what dbt sent: a comment, `create table … as (`, and within it the compiled SQL. Only
where the line can be told for certain is it told at all.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A line that a message names, counted from 1, and what it quotes of that line."""

    line: int
    quoted: str = ""


_STATEMENT_PATTERNS = (
    re.compile(r"^[ \t]*LINE (?P<line>\d+): ?(?P<quoted>.*)$", re.MULTILINE),  # DuckDB, Postgres
    re.compile(r" at \[(?P<line>\d+):\d+\]"),  # BigQuery
    re.compile(r"\bline (?P<line>\d+) at position \d+"),  # Snowflake
    re.compile(r"\bline (?P<line>\d+),? pos \d+"),  # Spark, Databricks
    re.compile(r"\bline (?P<line>\d+):\d+: "),  # Trino, Athena
    re.compile(r"\(line (?P<line>\d+), col \d+\)"),  # ClickHouse
    re.compile(r"\bat line (?P<line>\d+)(?:, column \d+|\s*$)", re.MULTILINE),  # Redshift, MySQL
)
_NAMED_PATTERNS = (
    re.compile(
        r"""\b[Cc]olumn (?P<name>"[^"]+"|[\w.]+) (?:does not exist|was not found|not found)"""
    ),  # DuckDB, Postgres
    re.compile(r"\bUnrecognized name: (?P<name>[`\w.]+)"),  # BigQuery
    re.compile(r"\binvalid identifier '(?P<name>[^']+)'"),  # Snowflake
    re.compile(r"\bwith name (?P<name>[`\".\w]+) (?:cannot be resolved|does not exist)"),  # Databricks, DuckDB
    re.compile(r"\bColumn '(?P<name>[^']+)' cannot be resolved"),  # Trino
    re.compile(r"""\brelation (?P<name>"[^"]+") does not exist"""),  # Postgres
    re.compile(r"""\bat or near (?P<q>["'])(?P<name>\w+)(?P=q)"""),  # a parser that knows no further
)
_TEMPLATE_LINE = re.compile(r"^[ \t]+line (?P<line>\d+)[ \t]*$", re.MULTILINE)
"""As Jinja tells where a template is wrong, in a Compilation Error of dbt's."""
_COMMENT = re.compile(r"\s*/\*.*?\*/\s*", re.DOTALL)


def place_in_statement(message: str) -> Place | None:
    """The place in the statement as it was sent."""
    for pattern in _STATEMENT_PATTERNS:
        if match := pattern.search(message):
            return Place(int(match["line"]), match.groupdict().get("quoted") or "")
    return None


def place_in_file(message: str) -> int | None:
    """The line of the model's own file, which Jinja names and no warehouse does."""
    match = _TEMPLATE_LINE.search(message) if message.lstrip().startswith("Compilation Error") else None
    return int(match["line"]) if match else None


def compiled_line(message: str, compiled: str, statement: str | None) -> int | None:
    """The line of the compiled SQL that a message is about; None unless there is just one that fits all it says.

    What it says: a line of the statement, words of that line, and a name that the warehouse stumbled over. Where only
    the name is said, or the line is one of dbt's own, the one line that has the name is it.
    """
    lines = compiled.splitlines()
    naming = _lines_naming(message, lines)
    told = [line for line in _told(message, lines, compiled, statement or "", naming) if not naming or line in naming]
    fitting = told or naming
    return fitting[0] if len(fitting) == 1 else None


def _lines_naming(message: str, lines: list[str]) -> list[int]:
    """The lines with the name that was not found or not understood; none when the message tells no such name."""
    match = next((found for pattern in _NAMED_PATTERNS if (found := pattern.search(message))), None)
    name = re.sub(r"[`\"]", "", match["name"]).rpartition(".")[2] if match else ""
    if not re.fullmatch(r"\w+", name):
        return []
    word = re.compile(rf"\b{name}\b", re.IGNORECASE)
    return [number for number, line in enumerate(lines, 1) if word.search(line)]


def _told(message: str, lines: list[str], compiled: str, statement: str, naming: list[int]) -> list[int]:
    """The lines that the message may mean by its number: by how the statement is counted, or else by its words."""
    place = place_in_statement(message)
    if place is None:
        return []
    shifts = _shifts(compiled, statement, is_quoted=bool(place.quoted), is_named=bool(naming))
    if not shifts:
        core = _core(place.quoted)
        return [number for number, line in enumerate(lines, 1) if core and core in line]
    counted = dict.fromkeys(place.line - shift for shift in shifts)
    return [line for line in counted if 1 <= line <= len(lines) and _agree(place.quoted, lines[line - 1])]


def _shifts(compiled: str, statement: str, *, is_quoted: bool, is_named: bool) -> list[int]:
    """How many lines of the statement come before the compiled SQL's first; none when it does not hold it.

    DuckDB counts from the first word, behind the comment that dbt puts in front, and DuckDB 2.0 then tells a place that
    is off by the comment's length: its count is only taken where a name can confirm it.
    """
    core = compiled.strip()
    at = statement.find(core) if core else -1
    if at < 0:
        return []
    blank = compiled[: len(compiled) - len(compiled.lstrip())].count("\n")
    shift = statement.count("\n", 0, at) - blank
    comment = _COMMENT.match(statement)
    return [shift, shift - comment[0].count("\n")] if is_quoted and is_named and comment else [shift]


def _agree(quoted: str, line: str) -> bool:
    """Whether a message's quotation is of this line, which the statement may go on with a bracket of its own."""
    core, text = _core(quoted), line.strip()
    return core in text or (bool(text) and text in core)


def _core(quoted: str) -> str:
    """The quoted text without the dots that stand for what was left out of a long line."""
    return quoted.strip().removeprefix("...").removesuffix("...").strip()


def file_line(compiled: str, line: int, raw: str) -> int | None:
    """The line of the file that became this line of the compiled SQL: one with the same words, if there is just one."""
    wanted = compiled.splitlines()[line - 1].strip()
    fitting = [number for number, text in enumerate(raw.splitlines(), 1) if text.strip() == wanted]
    return fitting[0] if wanted and len(fitting) == 1 else None
