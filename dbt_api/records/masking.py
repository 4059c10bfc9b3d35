"""The server's `DBT_ENV_SECRET_…` values are masked in everything served: dbt scrubs its log, not its artifacts.

Masked by value and byte for byte, so that sizes, ranges and offsets of a masked file are those of the file itself, and
JSON stays JSON.
"""

import json
import os
from functools import lru_cache

ENVIRONMENT_SECRET = "DBT_ENV_SECRET"  # noqa: S105  the prefix by which dbt itself knows a secret
SHORTEST = 4
"""A shorter value is no secret, and hiding it would hide half of the text."""
SPELLINGS_DEEP = 3
"""dbt writes a var as JSON within a Python literal within JSON."""
DIGITS = bytes.maketrans(b"023456789", b"1" * 9)


class Mask:
    """Hides some values in bytes. `reach` is how far a value may stretch over the end of a piece."""

    def __init__(self, values: frozenset[str] = frozenset()) -> None:
        self._hidden = {spelling: _hiding(spelling) for value in values for spelling in _spellings(value)}
        self.reach = max((len(each) for each in self._hidden), default=1) - 1

    def __call__(self, data: bytes) -> bytes:
        """The data with every value overwritten, its length unchanged."""
        if not any(spelling in data for spelling in self._hidden):
            return data
        masked = bytearray(data)
        for spelling, hiding in self._hidden.items():
            at = data.find(spelling)
            while at >= 0:
                masked[at : at + len(spelling)] = hiding
                at = data.find(spelling, at + 1)
        return bytes(masked)

    def text(self, text: str | None) -> str | None:
        """The same for text."""
        return text and self(text.encode()).decode(errors="replace")


def mask() -> Mask:
    """The mask of the server's own secrets. Those of a request never come so far: `sealing` has dbt scrub them."""
    return _mask(frozenset(_secrets_of_environment()))


def _secrets_of_environment() -> list[str]:
    return [value for name, value in os.environ.items() if name.startswith(ENVIRONMENT_SECRET)]


@lru_cache(maxsize=256)
def _mask(values: frozenset[str]) -> Mask:
    return Mask(frozenset(value for value in values if len(value) >= SHORTEST and value.strip("*")))


def _spellings(value: str) -> set[bytes]:
    """The value as it looks within JSON and Python literals, and within those again."""
    found = {value}
    for _ in range(SPELLINGS_DEEP):
        found |= {write(known)[1:-1] for known in found for write in (json.dumps, _json_in_utf8, repr)}
    return {each.encode(errors="replace") for each in found}


def _json_in_utf8(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _hiding(spelling: bytes) -> bytes:
    """Asterisks; a number becomes ones, because it may stand in JSON without quotes."""
    try:
        float(spelling)
    except ValueError:
        return b"*" * len(spelling)
    return spelling.translate(DIGITS)
