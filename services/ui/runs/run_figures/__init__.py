"""The row of figures in the history: each with its value for the period, its change and its course."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from services.runs import figures
from services.runs.figures import Figures, Summary
from services.runs.history import RunFilter
from services.ui.words import count, duration

NAMED = 5
"""How many failing projects are named; the others are counted."""

Better = Literal["more", "less", "neither"]
Read = Callable[[Figures], float | None]
Say = Callable[[float | None], str]

_HERE = Path(__file__).parent
SCRIPT, STYLE = _HERE / "run_figures.js", _HERE / "run_figures.css"


def run_figures(chosen: RunFilter, *, window: str) -> dict[str, Any]:
    """The figures of what is chosen, whatever its states and texts: a rate among failed runs means nothing.

    `window` names the filter's time: the moment it begins at is another with each rerun.
    """
    asked = replace(chosen, states=(), text="")
    found = _summary(f"{window} {replace(asked, since=None, until=None)}", asked)
    row = [
        _figure(found, "Runs", lambda each: each.runs, _whole, "neither"),
        _figure(found, "Success rate", lambda each: each.success_rate, percent, "more"),
        _figure(found, "Median duration", lambda each: each.median_seconds, duration, "less"),
        _figure(found, "95th percentile", lambda each: each.p95_seconds, duration, "less"),
        _figure(found, "Queued for", lambda each: each.queued_seconds, duration, "less"),
        _failing(found),
    ]
    return {"figures": row, "said": _in_words(found)}


@st.cache_data(ttl="20s", max_entries=50, show_spinner=False)
def _summary(asked: str, _chosen: RunFilter) -> Summary:  # noqa: ARG001  the key of the cache
    return figures.summary(_chosen)


def _figure(found: Summary, label: str, read: Read, say: Say, better: Better) -> dict[str, Any]:
    change, rose = _change(found, read, say)
    tone = "" if better == "neither" or not change else "good" if rose == (better == "more") else "bad"
    return {
        "label": label,
        "value": say(read(found.total)),
        "change": change,
        "tone": tone,
        "before": f"from {say(read(found.before))}" if change else "",
        **_course([read(each) for each in found.trend], say),
    }


def _failing(found: Summary) -> dict[str, Any]:
    value = count(len(found.failing_projects), "project")
    return {"label": "Failing now", "value": value, **_course(found.failing_trend, _whole)}


def _course(values: list[Any], say: Say) -> dict[str, Any]:
    """The values of the parts of the period, oldest first, and what a screen reader says of them."""
    known = [each for each in values if each is not None]
    told = f"Went from {say(known[0])} to {say(known[-1])} over the period." if len(known) > 1 else ""
    return {"values": values, "kind": "bar" if known and isinstance(known[0], int) else "line", "told": told}


def _change(found: Summary, read: Read, say: Say) -> tuple[str, bool]:
    """By how much a figure differs from the period before, and whether it rose."""
    new, old = read(found.total), read(found.before)
    if new is None or not old:
        return "", False
    if say is percent:
        points = round(100 * (new - old), 1)
        return (f"{points:+g} points", points > 0) if points else ("", False)
    share = round(100 * (new / old - 1))
    return (f"{share:+d} %", share > 0) if share else ("", False)


def _whole(number: float | None) -> str:
    return f"{number or 0:,.0f}"


def percent(share: float | None) -> str:
    """A share in percent; 99.6 % does not read as 100 %."""
    if share is None:
        return "–"
    return f"{share:.1%}" if 0.99 < share < 1 or 0 < share < 0.01 else f"{share:.0%}"


def _in_words(found: Summary) -> str:
    hours = found.period / timedelta(hours=1)
    period = count(round(hours / 24), "day") if hours > 24 else count(max(1, round(hours)), "hour")
    named = found.failing_projects[:NAMED]
    if more := len(found.failing_projects) - NAMED:
        named = [*named, f"{more} more"] if more > 0 else named
    now_failing = f"Failing now: {', '.join(named)}." if named else "No project is failing now."
    return f"Runs that ended in {period}, against the {period} before. {now_failing}"
