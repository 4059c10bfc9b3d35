"""The tabs beside the list of runs: durations over time, nodes that make trouble, operators side by side."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from models.run_state import RunState
from services.operators import operator
from services.runs import figures, node_figures, operator_figures
from services.runs.figures import Figures, Timing
from services.runs.history import RunFilter
from services.runs.node_figures import NodeFigures
from services.runs.operator_figures import OperatorFigures, SameWork
from services.ui.runs.run_figures import percent
from services.ui.words import NOTHING, count, duration

POINTS = 500
"""As many runs as a chart still tells apart."""
MEDIAN_OF = 10
"""The line in a chart is the median of a run and so many before it."""
NO_RUN = "No run that fits has ended yet."


def run_trends(chosen: RunFilter) -> None:
    """Draw the durations of the finished runs that fit: one point a run, and the median of its like as a line.

    Shape and colour say how a run went, so that colour alone never does.
    """
    finished = figures.timings(chosen, most=POINTS)
    lasted = [each for each in finished if each.seconds is not None]
    if not lasted:
        st.caption(NO_RUN)
        return
    st.header("Durations", anchor=False)
    slow = sum(each.is_slow for each in lasted)
    st.caption(
        f"One point a run, the last {len(lasted):,}; lines are medians of runs with the same command. "
        f"{count(slow, 'run')} took notably longer than others with the same project and command."
    )
    st.vega_lite_chart(
        _points(lasted),
        _duration_chart(),
        width="content",
        alt="Duration of each run over time, one small chart a project, slow runs marked",
    )


def _duration_chart() -> dict[str, Any]:
    words = [*(state.style.word for state in RunState if state.is_terminal), "Slow"]
    looks = {"legend": {"orient": "top", "title": None}}
    created = {"field": "Created", "type": "temporal", "title": None}
    points = {
        "mark": {"type": "point", "filled": True, "size": 45, "opacity": 0.85},
        "encoding": {
            "x": created,
            "y": {"field": "Seconds", "type": "quantitative", "title": "Seconds"},
            "color": {
                "field": "How",
                "scale": {"domain": words, "range": ["#2E9E66", "#D9534F", "#8A96A6", "#D97706"]},
                **looks,
            },
            "shape": {
                "field": "How",
                "scale": {"domain": words, "range": ["circle", "cross", "square", "triangle-up"]},
                **looks,
            },
            "tooltip": [{"field": each} for each in ("Run", "Project", "Command", "How", "Seconds")],
        },
    }
    line = {
        "transform": [
            {"filter": "datum.How == 'Succeeded' || datum.How == 'Slow'"},
            {
                "window": [{"op": "median", "field": "Seconds", "as": "Median"}],
                "frame": [-MEDIAN_OF, 0],
                "sort": [{"field": "Created"}],
                "groupby": ["Project", "Command"],
            },
        ],
        "mark": {"type": "line", "strokeWidth": 1.5, "color": "#8A96A6"},
        "encoding": {"x": created, "y": {"field": "Median", "type": "quantitative"}, "detail": {"field": "Command"}},
    }
    return {
        "facet": {"field": "Project", "columns": 3, "title": None, "header": {"labelFontWeight": "bold"}},
        "spec": {"layer": [line, points], "height": 130, "width": 250},
        "resolve": {"scale": {"y": "independent"}},
    }


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


def node_trends(chosen: RunFilter) -> None:
    """Draw the nodes that cost most time, fail most often, or cannot make up their mind."""
    st.caption(f"About the last {count(node_figures.RUNS, 'finished run')} that fit.")
    left, right = st.columns(2, gap="large")
    with left:
        _nodes("Slowest nodes", node_figures.slowest(chosen), none="No node has run.")
        _flaky(chosen)
    with right:
        _nodes("Most often failing", node_figures.failing(chosen), none="No node has failed.")


def _nodes(title: str, found: Sequence[NodeFigures], *, none: str) -> None:
    st.header(title, anchor=False)
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
    st.header("Flaky tests", anchor=False)
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


def operator_trends(chosen: RunFilter) -> None:
    """Draw the operators by what our own runs tell of them, so that the choice of one rests on figures."""
    asked = replace(chosen, states=())
    found = operator_figures.by_operator(asked)
    if not found:
        st.caption(NO_RUN)
        return
    st.header("Operators", anchor=False)
    st.dataframe(_operators(found), hide_index=True, alt="Operators compared by start-up, duration, failures, cost")
    st.caption(
        "CPU and memory are what a run's pod asks for, times the time that dbt runs, in the mean. "
        "Runs on the dbt API share its machine and ask for nothing of their own."
    )
    st.header("The same work on different operators", anchor=False)
    if shared := operator_figures.same_work(asked):
        st.dataframe(_same_work(shared), hide_index=True, alt="Commands that several operators have run, compared")
    else:
        st.caption("No command of a project has run on more than one operator yet.")


def _operators(found: Sequence[OperatorFigures]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Operator": [operator(each.operator).label for each in found],
            "Runs": [each.figures.runs for each in found],
            **_times([each.figures for each in found]),
            "CPU a run": [
                f"{each.requested.core_hours:,.2f} core hours" if each.requested else NOTHING for each in found
            ],
            "Memory a run": [
                f"{each.requested.gibibyte_hours:,.2f} GiB hours" if each.requested else NOTHING for each in found
            ],
        }
    )


def _same_work(shared: Sequence[SameWork]) -> pd.DataFrame:
    rows = [(work, name, each) for work in shared for name, each in work.by_operator.items()]
    return pd.DataFrame(
        {
            "Project": [work.project for work, *_ in rows],
            "Command": [f"dbt {work.command}" for work, *_ in rows],
            "Operator": [operator(name).label for _, name, _ in rows],
            "Runs": [each.runs for *_, each in rows],
            **_times([each for *_, each in rows]),
        }
    )


def _times(found: Sequence[Figures]) -> dict[str, list[str]]:
    return {
        "Until dbt starts": [duration(each.queued_seconds) for each in found],
        "Median duration": [duration(each.median_seconds) for each in found],
        "95th percentile": [duration(each.p95_seconds) for each in found],
        "Failed": [percent(None if each.success_rate is None else 1 - each.success_rate) for each in found],
    }
