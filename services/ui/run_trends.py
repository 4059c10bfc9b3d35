"""The trends tab of the history: durations, operators side by side, and the nodes that make trouble."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from models.run_state import RunState
from services import figures, node_figures
from services.figures import Timing
from services.history import RunFilter
from services.node_figures import NodeFigures
from services.operators import operator
from services.ui.run_figures import percent
from services.ui.words import count, duration

POINTS = 500
"""As many runs as a chart still tells apart."""


def run_trends(chosen: RunFilter) -> None:
    """Draw what the finished runs that fit have in common."""
    finished = figures.timings(chosen, most=POINTS)
    if not finished:
        st.caption("No run that fits has ended yet.")
        return
    _durations([each for each in finished if each.seconds is not None])
    _operators(chosen)
    st.caption(f"The tables below are about the last {count(min(len(finished), node_figures.RUNS), 'run')}.")
    left, right = st.columns(2, gap="large")
    with left:
        _nodes("Slowest nodes", node_figures.slowest(chosen), none="No node has run.")
        _flaky(chosen)
    with right:
        _nodes("Most often failing", node_figures.failing(chosen), none="No node has failed.")


def _durations(finished: Sequence[Timing]) -> None:
    """One point a run; shape and colour say how it went, so that colour alone never does."""
    st.subheader("Durations", anchor=False)
    slow = sum(each.is_slow for each in finished)
    st.caption(
        f"One point a run, the last {len(finished):,}. {count(slow, 'run')} took notably longer than others with the "
        "same project and command."
    )
    words = [*(state.style.word for state in RunState if state.is_terminal), "Slow"]
    st.vega_lite_chart(
        _points(finished),
        {
            "mark": {"type": "point", "filled": True, "size": 60},
            "encoding": {
                "x": {"field": "Created", "type": "temporal", "title": None},
                "y": {"field": "Seconds", "type": "quantitative", "title": "Seconds"},
                "color": {
                    "field": "How",
                    "scale": {"domain": words, "range": ["#2E9E66", "#D9534F", "#8A96A6", "#D97706"]},
                    "legend": {"orient": "top", "title": None},
                },
                "shape": {
                    "field": "How",
                    "scale": {"domain": words, "range": ["circle", "cross", "square", "triangle-up"]},
                    "legend": {"orient": "top", "title": None},
                },
                "facet": {"field": "Project", "columns": 3, "title": None},
                "tooltip": [{"field": each} for each in ("Run", "Project", "Command", "How", "Seconds")],
            },
            "height": 130,
            "width": 245,
            "resolve": {"scale": {"y": "independent"}},
        },
        width="content",
        alt="Duration of each run over time, one small chart a project",
    )


def _points(finished: Sequence[Timing]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Run": [each.run_id for each in finished],
            "Project": [each.project for each in finished],
            "Command": [f"dbt {each.command}" for each in finished],
            "How": ["Slow" if each.is_slow else each.state.style.word for each in finished],
            "Created": [each.created_at for each in finished],
            "Seconds": [each.seconds for each in finished],
        }
    )


def _operators(chosen: RunFilter) -> None:
    st.subheader("Operators", anchor=False)
    found = figures.by_operator(replace(chosen, states=()))
    st.dataframe(
        pd.DataFrame(
            {
                "Operator": [operator(name).label for name in found],
                "Runs": [each.runs for each in found.values()],
                "Until dbt starts": [duration(each.queued_seconds) for each in found.values()],
                "Median duration": [duration(each.median_seconds) for each in found.values()],
                "95th percentile": [duration(each.p95_seconds) for each in found.values()],
                "Failed": [
                    percent(None if each.success_rate is None else 1 - each.success_rate) for each in found.values()
                ],
            }
        ),
        hide_index=True,
        alt="Operators compared: runs, start-up time, duration and share of failed runs",
    )


def _nodes(title: str, found: Sequence[NodeFigures], *, none: str) -> None:
    st.subheader(title, anchor=False)
    if not found:
        st.caption(none)
        return
    st.dataframe(
        pd.DataFrame(
            {
                "Node": [each.name for each in found],
                "Project": [each.project for each in found],
                "Mean": [duration(each.mean_seconds) for each in found],
                "Longest": [duration(each.max_seconds) for each in found],
                "Ran": [each.times for each in found],
                "Failed": [each.failures for each in found],
            }
        ),
        hide_index=True,
        alt=title,
    )


def _flaky(chosen: RunFilter) -> None:
    found = node_figures.flaky(chosen)
    st.subheader("Flaky tests", anchor=False)
    if not found:
        st.caption("No test went from good to bad and back.")
        return
    st.dataframe(
        pd.DataFrame(
            {
                "Test": [each.name for each in found],
                "Project": [each.project for each in found],
                "Changed its verdict": [count(each.flips, "time") for each in found],
                "Failed": [f"{each.failures} of {each.times}" for each in found],
                "Last": [each.last.style.label for each in found],
            }
        ),
        hide_index=True,
        alt="Tests whose verdict went to and fro",
    )
