"""The lines that a query chooses, in the order in which they are shown: any range of them, any place among them."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from models.run import Invocation
from services.errors import NotFound
from services.logs.index import NO_NODE, Numbers, reader_of
from services.logs.lines import ERROR, LEVELS, ORIGINS
from services.logs.opened import OpenLog, open_logs
from services.logs.query import Query
from services.logs.reading import LONGEST_LINE, raw_lines
from services.logs.rows import Row, place_of, read_rows
from services.logs.search import Search, search_in
from services.logs.shown import shown

PAGE = 100
"""Rows a page; heights are told by page."""
_NONE = np.zeros(0, np.int64)

Choice = np.ndarray[Any, np.dtype[np.bool]]


@dataclass
class View:
    """Made for one question and thrown away: all of it is as of one moment."""

    query: Query
    logs: list[OpenLog]
    searches: list[Search] = field(default_factory=list)

    # --- which lines, in which order ---------------------------------------------------------------------------------

    @cached_property
    def _of_sources(self) -> list[Choice]:
        """For each log, the lines of the sources and the node that are asked for."""
        return [self._chosen(log) for log in self.logs]

    def _chosen(self, log: OpenLog) -> Choice:
        records = log.index.records
        chosen: Choice = _table(self.query.files[log.source], len(ORIGINS))[records["origin"]]
        if self.query.node:
            nodes = log.index.nodes
            chosen &= records["node"] == (nodes.index(self.query.node) if self.query.node in nodes else NO_NODE - 1)
        return chosen

    @cached_property
    def _rows(self) -> tuple[Numbers, Numbers]:
        """Of every row: which log it is of, and its line there, from 0."""
        levels = _table([number for number, name in enumerate(LEVELS) if name not in self.query.hidden], len(LEVELS))
        chosen = []
        for place, (log, wanted) in enumerate(zip(self.logs, self._of_sources, strict=True)):
            those = wanted & levels[log.index.records["level"]]
            if self.query.only and self.searches:
                those &= self._found[place]
            chosen.append(np.flatnonzero(those))
        which = np.concatenate([np.full(len(lines), place) for place, lines in enumerate(chosen)] or [_NONE])
        lines = np.concatenate(chosen or [_NONE])
        if len(self.logs) > 1:
            moments = [log.moments[lines] for log, lines in zip(self.logs, chosen, strict=True)]
            by_time = np.argsort(np.concatenate(moments), kind="stable")
            which, lines = which[by_time], lines[by_time]
        return which, lines

    @cached_property
    def _found(self) -> list[Choice]:
        """For each log, the lines in which the search has found its text so far."""
        found = [np.zeros(len(log.index.records), np.bool) for log in self.logs]
        for choice, search in zip(found, self.searches, strict=False):
            hits = search.found()
            choice[hits[hits < len(choice)]] = True
        return found

    def _column(self, name: str) -> Numbers:
        """A value of the index for every row."""
        which, lines = self._rows
        column = np.zeros(len(lines), np.int64)
        for place, log in enumerate(self.logs):
            of_log = which == place
            column[of_log] = log.index.records[name][lines[of_log]]
        return column

    # --- figures -----------------------------------------------------------------------------------------------------

    @property
    def total(self) -> int:
        """How many rows there are."""
        return len(self._rows[1])

    @property
    def lines(self) -> int:
        """How many lines the sources have, whatever is filtered."""
        return sum(len(log.index.records) for log in self.logs)

    @property
    def complete(self) -> bool:
        """Nothing will be added any more."""
        return all(log.complete for log in self.logs)

    @property
    def read(self) -> float:
        """How much of the logs is known so far, from 0 to 1: less than 1 only while an index is made anew."""
        return min((log.read for log in self.logs), default=1.0)

    @property
    def searched(self) -> float:
        """How much of the known lines has been searched."""
        done = sum(min(one.lines, len(log.index.records)) for one, log in zip(self.searches, self.logs, strict=False))
        return done / self.lines if self.searches and self.lines else 1.0

    def counts(self) -> dict[str, int]:
        """How many lines of each level there are, be they shown or not."""
        counts = np.zeros(len(LEVELS), np.int64)
        for log, chosen in zip(self.logs, self._of_sources, strict=True):
            counts += np.bincount(log.index.records["level"][chosen], minlength=len(LEVELS))
        return dict(zip(LEVELS, counts.tolist(), strict=True))

    def heights(self, first_page: int = 0) -> list[int]:
        """How many rows of the screen each page of lines takes, unwrapped."""
        rows = self._column("rows")[first_page * PAGE :]
        return np.add.reduceat(rows, np.arange(0, len(rows), PAGE)).tolist() if len(rows) else []

    @property
    def version(self) -> str:
        """How much of each log this view knows. Rows of lines known before keep their order, but may move down."""
        return "-".join(f"{log.index.generation}.{upto}" for log, upto in zip(self.logs, self._known(), strict=True))

    def same(self, version: str) -> int:
        """How many rows at the beginning are what they were at that version."""
        parts = [part.partition(".") for part in version.split("-")]
        known = [int(upto) if upto.isdigit() else 0 for _, _, upto in parts]
        if len(parts) != len(self.logs):
            return 0
        for place, (generation, _, _) in enumerate(parts):
            if known[place] and generation != str(self.logs[place].index.generation):
                return 0
        which, lines = self._rows
        new = np.zeros(len(lines), np.bool)
        for place, upto in enumerate(known):
            new |= (which == place) & (lines >= upto)
        return int(np.argmax(new)) if new.any() else len(lines)

    def _known(self) -> list[int]:
        if self.query.only and self.searches:
            return [search.lines for search in self.searches]
        return [len(log.index.records) for log in self.logs]

    # --- places ------------------------------------------------------------------------------------------------------

    def position_of(self, line: str) -> int | None:
        """The row of this line, or, if it isn't shown, of the next that is; None when there is no such line yet."""
        source, number = place_of(line)
        place = next((place for place, log in enumerate(self.logs) if log.source == source), None)
        if place is None or number >= len(self.logs[place].index.records):
            return None
        which, lines = self._rows
        later = np.flatnonzero((which == place) & (lines >= number))
        return int(later[np.argmin(lines[later])]) if len(later) else max(0, self.total - 1)

    def errors(self) -> Numbers:
        """The rows that are errors."""
        return np.flatnonzero(self._column("level") == ERROR)

    def matches(self) -> Numbers:
        """The rows in which the search has found its text so far."""
        which, lines = self._rows
        found = np.zeros(len(lines), np.bool)
        for place, choice in enumerate(self._found):
            of_log = which == place
            found[of_log] = choice[lines[of_log]]
        return np.flatnonzero(found)

    def hidden_matches(self) -> int:
        """How many lines with the text there are in levels that are hidden."""
        of_sources = zip(self._of_sources, self._found, strict=True)
        return sum(int((chosen & found).sum()) for chosen, found in of_sources) - len(self.matches())

    # --- rows --------------------------------------------------------------------------------------------------------

    def rows(self, first: int, count: int) -> list[Row]:
        """So many rows from this one on."""
        which, lines = (part[first : first + count] for part in self._rows)
        rows: list[Row | None] = [None] * len(lines)
        for place, log in enumerate(self.logs):
            here = np.flatnonzero(which == place)
            for position, row in zip(here.tolist(), read_rows(log, lines[here], self.query), strict=True):
                rows[position] = row
        return [row for row in rows if row]

    def whole(self, line: str) -> str:
        """All of one line, as far as anything is read at once."""
        source, at = place_of(line)
        number = np.array([at])
        log = next((one for one in self.logs if one.source == source), None)
        if log is None or not 0 <= number[0] < len(log.index.records):
            raise NotFound(f"There is no line {line}.")
        return shown(reader_of(log.path)(raw_lines(log.path, log.index, number, longest=LONGEST_LINE)[0], None).text)


def open_view(invocation: Invocation, query: Query, *, seconds: float = 0.3, search_seconds: float = 0) -> View:
    """Look at an invocation's logs. What is not indexed or searched yet is, for about so long."""
    logs = open_logs(invocation, query.files, seconds=seconds)
    view = View(query, logs, [search_in(log.path, query.find, regex=query.regex) for log in logs if query.find])
    for search, log in zip(view.searches, logs, strict=False):
        search.advance(log.index, seconds=search_seconds)
    return view


def _table(numbers: Any, size: int) -> Choice:
    table = np.zeros(size, np.bool)
    table[list(numbers)] = True
    return table
