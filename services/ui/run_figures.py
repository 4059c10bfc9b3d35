"""The row of figures above the history: each with its value for the period and its trend."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import streamlit as st

from services import figures
from services.figures import Figures, Summary
from services.history import RunFilter
from services.ui.words import count, duration, plain

NAMED = 5
"""How many failing projects are named; the others are counted."""


def run_figures(chosen: RunFilter, *, window: str) -> None:
    """Draw the figures of what is chosen, whatever its states and texts: a rate among failed runs means nothing.

    `window` names the filter's time: the moment it begins at is another with each rerun.
    """
    asked = replace(chosen, states=(), text="")
    found = _summary(f"{window} {replace(asked, since=None)}", asked)
    total = found.total
    row: list[tuple[str, str, Callable[[Figures], float | None]]] = [
        ("Runs", f"{total.runs:,}", lambda each: each.runs),
        ("Success rate", percent(total.success_rate), lambda each: each.success_rate),
        ("Median duration", duration(total.median_seconds), lambda each: each.median_seconds),
        ("95th percentile", duration(total.p95_seconds), lambda each: each.p95_seconds),
        ("Queued for", duration(total.queued_seconds), lambda each: each.queued_seconds),
        ("Failed", f"{total.failed:,}", lambda each: each.failed),
    ]
    for column, (label, value, read) in zip(st.columns(len(row), gap="small"), row, strict=True):
        with column:
            _figure(label, value, [read(each) for each in found.trend])
    st.caption(_in_words(found))


@st.cache_data(ttl="20s", max_entries=50, show_spinner=False)
def _summary(asked: str, _chosen: RunFilter) -> Summary:  # noqa: ARG001  the key of the cache
    return figures.summary(_chosen)


def _figure(label: str, value: str, trend: Sequence[float | None]) -> None:
    known = [each for each in trend if each is not None]
    has_trend = len(known) > 1
    st.metric(
        label,
        value,
        border=True,
        chart_data=[each or 0 for each in trend] if has_trend else None,
        chart_type="bar" if isinstance(known[0] if known else None, int) else "line",
        help=f"Went from {known[0]:,.4g} to {known[-1]:,.4g} over the period." if has_trend else None,
    )


def percent(share: float | None) -> str:
    """A share in percent; 99.6 % does not read as 100 %."""
    if share is None:
        return "–"
    return f"{share:.1%}" if 0.99 < share < 1 or 0 < share < 0.01 else f"{share:.0%}"


def _in_words(found: Summary) -> str:
    hours = found.period / timedelta(hours=1)
    period = count(round(hours / 24), "day") if hours > 24 else count(round(hours), "hour")
    failing = found.failing_projects
    named = [f"**{plain(name)}**" for name in failing[:NAMED]]
    if len(failing) > NAMED:
        named.append(f"{len(failing) - NAMED} more")
    now_failing = f"Failing now: {', '.join(named)}." if named else "No project is failing now."
    return f"Runs that ended, last {period}. {now_failing}"
