"""Search in a whole log, a bounded piece at a time: who asked goes on, or doesn't.

RE2 (in pyarrow) matches: its time grows with the text only, whatever the expression, and other threads run meanwhile.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from services.errors import InvalidInput
from services.logs.index import LineIndex, Numbers, Read, reader_of
from services.logs.reading import raw_lines
from services.logs.shown import END, START, plain, shown

_LINES_AT_ONCE = 5_000
_BYTES_AT_ONCE = 4 << 20
_KEPT_SEARCHES = 16
_MOST_MARKS = 200


def pattern_of(find: str, *, regex: bool) -> str:
    """The expression for RE2; upper and lower case are the same. Raises InvalidInput when it is none."""
    pattern = f"(?i){find if regex else re.escape(find)}"
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"No regular expression: {str(error).partition(': ')[2] or error}", field="find") from None
    return pattern


def marked(texts: Sequence[str], pattern: str) -> list[str]:
    """The texts as they are shown, with each match between START and END."""
    found = pc.replace_substring_regex(
        pa.array([shown(text) for text in texts], pa.string()),
        pattern,
        f"{START}\\0{END}",
        max_replacements=_MOST_MARKS,
    )
    return [text or "" for text in found.to_pylist()]


@dataclass
class Search:
    """One search in one log. It remembers what it found, and goes on where it stopped, also when the log has grown."""

    path: Path
    pattern: str
    needle: bytes | None
    """What the raw line must hold, in lower case, if that is known: most lines need not be read then."""
    generation: int = 0
    lines: int = 0
    """How many lines were searched."""
    hits: list[Numbers] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def advance(self, index: LineIndex, *, seconds: float) -> None:
        """Search on, for about so long or to the end."""
        until = time.monotonic() + seconds
        with self.lock:
            if self.generation != index.generation:
                self.generation, self.lines, self.hits = index.generation, 0, []
            read = reader_of(self.path)
            while self.lines < len(index.records):
                numbers = np.arange(self.lines, self._next(index))
                self._take(raw_lines(self.path, index, numbers), read)
                self.lines += len(numbers)
                if time.monotonic() > until:
                    break

    def _next(self, index: LineIndex) -> int:
        """The line up to which to read at once: neither too many lines nor too many bytes."""
        offsets = index.records["offset"]
        enough = int(np.searchsorted(offsets, offsets[self.lines] + np.uint64(_BYTES_AT_ONCE)))
        return min(max(enough, self.lines + 1), self.lines + _LINES_AT_ONCE, len(offsets))

    def _take(self, raws: list[bytes], read: Read) -> None:
        places: Sequence[int] = range(len(raws))
        if self.needle is not None:
            places = [place for place, raw in enumerate(raws) if _may_hold(raw.lower(), self.needle)]
        if len(places):
            texts = pa.array([plain(read(raws[place], None).text) for place in places], pa.string())
            matched = pc.match_substring_regex(texts, self.pattern).to_numpy(zero_copy_only=False)
            self.hits.append(np.asarray(places, np.int64)[matched] + self.lines)

    def found(self) -> Numbers:
        """Numbers, from 0, of the lines found so far."""
        with self.lock:
            if len(self.hits) > 1:
                self.hits = [np.concatenate(self.hits)]
            return self.hits[0] if self.hits else np.zeros(0, np.int64)


_searches: OrderedDict[tuple[Path, str, bool], Search] = OrderedDict()
_guard = threading.Lock()


def search_in(path: Path, find: str, *, regex: bool) -> Search:
    """The search for this, begun before or new. Only the latest ones are remembered."""
    key = (path, find, regex)
    with _guard:
        known = _searches.pop(key, None) or Search(path, pattern_of(find, regex=regex), _needle(find, regex))
        _searches[key] = known
        while len(_searches) > _KEPT_SEARCHES:
            _searches.popitem(last=False)
    return known


def _may_hold(raw: bytes, needle: bytes) -> bool:
    """A terminal's orders may stand in the midst of what is looked for."""
    return needle in raw or b"\\u001b" in raw or b"\x1b" in raw


def _needle(find: str, regex: bool) -> bytes | None:
    """JSON writes plain letters as they are; what it may escape is looked for in the text only."""
    is_plain = not regex and find.isascii() and find.isprintable() and not set(find) & set('"\\/')
    return find.lower().encode() if is_plain else None
