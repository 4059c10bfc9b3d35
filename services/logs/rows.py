"""Lines of one log as they are shown."""

from collections.abc import Iterator
from typing import NamedTuple

from services.logs.files import Source
from services.logs.index import Numbers, reader_of
from services.logs.lines import LEVELS, NO_TIME, ORIGINS
from services.logs.opened import OpenLog
from services.logs.query import Query
from services.logs.reading import raw_lines
from services.logs.search import marked, pattern_of
from services.logs.shown import TEXT_LIMIT, Piece, pieces, plain

_LONGEST_LINE = 1 << 20
"""Bytes of a line that are read for a window."""
_PREFIX: dict[Source, str] = {"dbt": "", "airflow": "a"}


class Row(NamedTuple):
    """One line as it is shown."""

    line: str
    """Its name in addresses: the number in its file, from 1; of Airflow's task log with an `a` before it."""
    level: str
    time: int | None
    """Milliseconds since 1970."""
    origin: str
    node: str | None
    text: str | list[Piece]
    more: int
    """Characters, or bytes, that are left out here."""


def place_of(line: str) -> tuple[Source, int]:
    """The log that a line's name speaks of, and its number there, from 0."""
    return ("airflow", int(line[1:]) - 1) if line.startswith("a") else ("dbt", int(line) - 1)


def read_rows(log: OpenLog, numbers: Numbers, query: Query) -> Iterator[Row]:
    """These lines, counted from 0 and in rising order, with what the query looks for marked."""
    read = reader_of(log.path)
    raws = raw_lines(log.path, log.index, numbers, longest=_LONGEST_LINE)
    texts = [read(raw, None).text for raw in raws]
    marks = marked(texts, pattern_of(query.find, regex=query.regex)) if query.find else None
    for place, (number, record) in enumerate(zip(numbers.tolist(), log.index.records[numbers], strict=True)):
        text = texts[place]
        yield Row(
            f"{_PREFIX[log.source]}{number + 1}",
            LEVELS[record["level"]],
            None if record["time"] == NO_TIME else int(record["time"]),
            ORIGINS[record["origin"]],
            log.index.nodes[record["node"]] if record["node"] >= 0 else None,
            pieces(text, marks[place] if marks else None),
            max(0, len(plain(text)) - TEXT_LIMIT) or (1 if len(raws[place]) == _LONGEST_LINE else 0),
        )
