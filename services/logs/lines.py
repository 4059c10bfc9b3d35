"""What one line of a log says: when, how bad, about which node, and by whom it was said."""

import json
import re
from datetime import UTC, datetime
from typing import NamedTuple

from contracts.log_event import level_of
from contracts.names import DBT_CONTAINER, SOURCE_CONTAINER

LEVELS = ("error", "warn", "info", "debug")
ORIGINS = ("dbt", "output", "init", "airflow", "copy")
"""An event of dbt's; other output beside it; a pod's init container; Airflow; Airflow's copy of one of the former."""
EVENT, OUTPUT, INIT, AIRFLOW, COPY = range(len(ORIGINS))
ERROR, _, INFO, _ = range(len(LEVELS))
NO_TIME = -1

_NUMBER_OF = {name: number for number, name in enumerate(LEVELS)}
_INIT_PREFIX = f"[{SOURCE_CONTAINER}] "
_TASK_LOG_LINE = re.compile(
    r"\[?(?P<time>\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?)\]?\s*(?P<rest>.*)", re.DOTALL
)
_LEVEL = re.compile(r"\b(DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL)\b")
_COPY = re.compile(
    rf"(?:[A-Z]+ )?(?:- )?(?P<who>\[(?:dbt|{DBT_CONTAINER}|{SOURCE_CONTAINER})\] )(?P<text>.*)", re.DOTALL
)
_LEVEL_WORDS = {"WARNING": "warn", "WARN": "warn", "CRITICAL": "error", "ERROR": "error", "DEBUG": "debug"}


class Line(NamedTuple):
    """One line, read. Its text may hold line breaks and terminal colours: one event of dbt is one line here."""

    time: int
    """Milliseconds since 1970, or NO_TIME."""
    level: int
    """Position in LEVELS."""
    origin: int
    """Position in ORIGINS."""
    node: str | None
    text: str


def read_event(raw: bytes, _before: Line | None = None) -> Line:
    """A line of dbt.jsonl: an event of dbt's, or whatever else was printed there. Never raises."""
    text = raw.decode("utf-8", "replace").rstrip("\r\n")
    if text.startswith("{") and (event := _event(text)):
        return event
    origin = INIT if text.startswith(_INIT_PREFIX) else OUTPUT
    return Line(NO_TIME, INFO, origin, None, text)


def read_task_log(raw: bytes, before: Line | None = None) -> Line:
    """A line of Airflow's task log. One without a time goes on with what the line before it said."""
    text = raw.decode("utf-8", "replace").rstrip("\r\n")
    match = _TASK_LOG_LINE.match(text)
    if match is None:
        goes_on = before is not None and not _LEVEL.match(text)
        level, origin = (before.level, before.origin) if before and goes_on else (_level_in(text), AIRFLOW)
        return Line(NO_TIME, level, origin, None, text)
    time = _milliseconds(match["time"].replace(",", "."))
    copy = _COPY.match(match["rest"])
    if copy is None:
        return Line(time, _level_in(match["rest"]), AIRFLOW, None, match["rest"])
    event = _event(copy["text"]) if copy["text"].startswith("{") else None
    if event is None:
        return Line(time, _level_in(match["rest"]), COPY, None, match["rest"])
    return Line(time, event.level, COPY, event.node, copy["who"] + event.text)


def _event(text: str) -> Line | None:
    try:
        record = json.loads(text)
        info = record["info"]
        data = record.get("data") or {}
        about = data.get("node_info")
        node = (about.get("unique_id") if isinstance(about, dict) else None) or data.get("unique_id")
        message = str(info.get("msg") or "").rstrip("\n")
        level = _NUMBER_OF[level_of(info)]
        return Line(_milliseconds(info.get("ts")), level, EVENT, node if isinstance(node, str) else None, message)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _level_in(text: str) -> int:
    match = _LEVEL.search(text[:200])
    return _NUMBER_OF[_LEVEL_WORDS.get(match[1], "info")] if match else INFO


def _milliseconds(text: str | None) -> int:
    try:
        moment = datetime.fromisoformat(text or "")
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, TypeError, OverflowError):
        return NO_TIME
