"""The row of figures above the history: each with its value for the period, its change and its trend."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal

import streamlit as st

from services.runs import figures
from services.runs.figures import Figures, Summary
from services.runs.history import RunFilter
from services.ui.runs.sparkline import sparkline
from services.ui.words import count, duration, plain

NAMED = 5
"""How many failing projects are named; the others are counted."""

Good = Literal["normal", "inverse", "off"]
Read = Callable[[Figures], float | None]


def run_figures(chosen: RunFilter, *, window: str) -> None:
    """Draw the figures of what is chosen, whatever its states and texts: a rate among failed runs means nothing.

    `window` names the filter's time: the moment it begins at is another with each rerun.
    """
    asked = replace(chosen, states=(), text="")
    found = _summary(f"{window} {replace(asked, since=None)}", asked)
    row: list[tuple[str, Callable[[float | None], str], Read, Good]] = [
        ("Runs", _whole, lambda each: each.runs, "off"),
        ("Success rate", percent, lambda each: each.success_rate, "normal"),
        ("Median duration", duration, lambda each: each.median_seconds, "inverse"),
        ("95th percentile", duration, lambda each: each.p95_seconds, "inverse"),
        ("Queued for", duration, lambda each: each.queued_seconds, "inverse"),
    ]
    with st.grid(len(row) + 1, min_column_width=140):
        for label, say, read, good in row:
            trend = [read(each) for each in found.trend]
            _figure(label, say(read(found.total)), trend, say, *_change(found, read, say), good=good)
        failing = len(found.failing_projects)
        _figure("Failing now", count(failing, "project"), found.failing_trend, _whole, good="off")
    st.caption(_in_words(found))


@st.cache_data(ttl="20s", max_entries=50, show_spinner=False)
def _summary(asked: str, _chosen: RunFilter) -> Summary:  # noqa: ARG001  the key of the cache
    return figures.summary(_chosen)


def _change(found: Summary, read: Read, say: Callable[[float | None], str]) -> tuple[str | None, str | None]:
    """By how much a figure differs from the period before, and what that was."""
    new, old = read(found.total), read(found.before)
    if new is None or not old:
        return None, None
    if old <= 1 and new <= 1 and say is percent:
        points = round(100 * (new - old), 1)
        return (f"{points:+g} points", f"{say(old)} before") if points else (None, None)
    share = round(100 * (new / old - 1))
    return (f"{share:+d} %", f"{say(old)} before") if share else (None, None)


def _figure(
    label: str,
    value: str,
    trend: Sequence[float | None],
    say: Callable[[float | None], str],
    change: str | None = None,
    before: str | None = None,
    *,
    good: Good,
) -> None:
    known = [each for each in trend if each is not None]
    has_trend = len(known) > 1
    told = f"Went from {say(known[0])} to {say(known[-1])} over the period." if has_trend else ""
    with st.container(border=True, height="stretch", gap="xsmall"):
        st.metric(
            label,
            value,
            delta=change,
            delta_color=good,
            help=" ".join(filter(None, [told, f"{before}, in a period as long." if before else ""])) or None,
        )
        if has_trend:
            kind: Literal["line", "bar"] = "bar" if isinstance(known[0], int) else "line"
            sparkline(trend, kind=kind, told=f"{label}: {told}")


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
    failing = found.failing_projects
    named = [f"**{plain(name)}**" for name in failing[:NAMED]]
    if len(failing) > NAMED:
        named.append(f"{len(failing) - NAMED} more")
    now_failing = f"Failing now: {', '.join(named)}." if named else "No project is failing now."
    return f"Runs that ended, last {period}, against the {period} before. {now_failing}"
