"""How values read on every page: durations, ages, moments, counts, and foreign text that must not act as Markdown."""

import re
from collections.abc import Iterable
from datetime import datetime

from models.run import Trigger
from models.types import now

TRIGGER_WORDS = {
    Trigger.MANUAL: "by hand",
    Trigger.SCHEDULE: "schedule",
    Trigger.AIRFLOW: "Airflow",
    Trigger.RETRY: "retry",
}
NOTHING = "–"
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:<>])")


def duration(seconds: float | None) -> str:
    """A length of time in its two largest units: `0.4 s`, `12 s`, `4 m 51 s`, `2 h 3 m`."""
    if seconds is None:
        return NOTHING
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60} m"
    return f"{whole // 86_400} d {whole % 86_400 // 3600} h"


def between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds from start to end, or until now while there is no end; None when it never started."""
    return None if start is None else ((end or now()) - start).total_seconds()


def ago(moment: datetime | None) -> str:
    """How long ago something was: `just now`, `12 s ago`, `3 h 5 m ago`."""
    if moment is None:
        return "never"
    seconds = (now() - moment).total_seconds()
    if seconds < 2:
        return "just now"
    return f"{seconds:.0f} s ago" if seconds < 60 else f"{duration(seconds)} ago"


def moment(when: datetime | None) -> str:
    """A moment with its zone: `2026-11-23 21:16:04 UTC`."""
    return f"{when:%Y-%m-%d %H:%M:%S} UTC" if when else NOTHING


def count(number: int, noun: str) -> str:
    """A number with its noun: `1 node`, `1,200 nodes`."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def listed(words: Iterable[str]) -> str:
    """Words joined as in a sentence, middle dots between them, empty ones left out."""
    return " · ".join(word for word in words if word)


def plain(text: str) -> str:
    """Text from dbt, Airflow or a person, so that Streamlit's Markdown shows it as it is."""
    return _MARKDOWN.sub(r"\\\1", text).replace("\n", "  \n")


def short(text: str | None, *, most: int = 200) -> str:
    """The first line of a text, cut to at most so many characters."""
    first = (text or "").strip().split("\n", 1)[0]
    return first if len(first) <= most else first[: most - 1] + "…"


def size(number: int | None) -> str:
    """A number of bytes: `812 bytes`, `4.2 kB`, `1.3 GB`."""
    if number is None:
        return NOTHING
    if number < 1000:
        return count(number, "byte")
    value, unit = float(number), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:,.1f} {_UNITS[unit]}" if value < 100 else f"{value:,.0f} {_UNITS[unit]}"
