"""The timeline tab of a run's page: where the time went, and its nodes as bars on dbt's threads."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from models.run import Invocation, NodeResult, Run
from services import clusters
from services.run import run_nodes
from services.run.run_graph import graph_of
from services.run.run_stages import stages
from services.run.timeline import Bar, Timeline, concurrency, idle_shares, timeline
from services.ui.run.run_stages import stages_bar
from services.ui.words import count, duration, plain

_NAMED = 12
_MOST_BARS = 1500
"""More bars are no picture any more, and each is sent again while the run lives."""
_HOW = {"Done": "#2E9E66", "Warned": "#D97706", "Failed": "#D9534F", "Interrupted": "#8A96A6", "Running": "#3B82F6"}


def run_timeline(run: Run, invocation: Invocation | None) -> None:
    """Draw where the time went, also of a run that lives, failed or was cancelled."""
    invocation_id = (invocation.id or 0) if invocation else 0
    nodes = run_nodes.outline(invocation_id)
    pod = clusters.pod_of(invocation_id) if run.operator.runs_in_pods else None
    stages_bar(stages(run, nodes, invocation, pod), is_over=run.state.is_terminal)
    threads = invocation.threads if invocation else None
    found = timeline(nodes, graph_of(run, invocation_id), until=run.finished_at, threads=threads)
    if found is None:
        st.caption("No node has started.")
        return
    st.header("Nodes by thread", anchor=False)
    st.caption(_in_words(found))
    _gantt(found)
    _concurrency(found)
    _critical(found.critical)


def _in_words(found: Timeline) -> str:
    peak = "one node at a time" if found.peak == 1 else f"up to {found.peak} nodes at a time"
    idle = max(idle_shares(found).values(), default=0)
    unused = found.threads - len(idle_shares(found))
    told = f", {count(unused, 'thread')} never worked" if unused > 0 else ""
    return (
        f"It ran {peak} on {count(found.threads, 'thread')}{told}; the threads were busy {found.busy_share:.0%} of the "
        f"time, the idlest {1 - idle:.0%}. The critical path ({count(len(found.critical), 'node')}, outlined) took "
        f"{duration(found.critical_seconds)}: more threads cannot beat it."
    )


def _gantt(found: Timeline) -> None:
    if len(found.bars) > _MOST_BARS:
        st.caption(f"The {_MOST_BARS:,} longest of {count(len(found.bars), 'node')} are drawn, and the critical path.")
    names = _thread_names(found.bars)
    st.vega_lite_chart(
        _frame(_drawn(found.bars), names),
        {
            "params": [{"name": "chosen", "select": {"type": "point", "fields": ["Id"]}}],
            "mark": {"type": "bar", "cornerRadius": 2, "stroke": "#7A4FD0", "cursor": "pointer"},
            "encoding": {
                "y": {"field": "Thread", "type": "nominal", "title": None, "sort": list(names.values())},
                "x": {"field": "Start", "type": "quantitative", "title": "Seconds since the first node"},
                "x2": {"field": "End"},
                "color": {
                    "field": "How",
                    "scale": {"domain": list(_HOW), "range": list(_HOW.values())},
                    "legend": {"orient": "top", "title": None, "symbolStrokeWidth": 0},
                },
                "strokeWidth": {"condition": {"test": "datum.Critical", "value": 2}, "value": 0},
                "tooltip": [{"field": each} for each in ("Name", "How", "Seconds")],
            },
            "height": {"step": 26},
        },
        key="gantt",
        on_select=_open,
        alt="Each node as a bar on the thread that ran it; a click opens the node",
    )


def _open() -> None:
    chosen = st.session_state["gantt"]["selection"].get("chosen")
    if chosen:
        st.query_params["node"] = chosen[0]["Id"]


def _drawn(bars: Sequence[Bar]) -> list[Bar]:
    if len(bars) <= _MOST_BARS:
        return list(bars)
    longest = sorted(bars, key=lambda bar: bar.seconds, reverse=True)
    return [*longest[:_MOST_BARS], *(bar for bar in longest[_MOST_BARS:] if bar.is_critical)]


def _thread_names(bars: Sequence[Bar]) -> dict[str, str]:
    threads = sorted({bar.node.thread or "" for bar in bars}, key=lambda name: (len(name), name))
    return {name: f"Thread {place}" for place, name in enumerate(threads, start=1)}


def _frame(bars: Sequence[Bar], names: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Thread": [names[bar.node.thread or ""] for bar in bars],
            "Id": [bar.node.unique_id for bar in bars],
            "Name": [bar.node.name for bar in bars],
            "How": [_how(bar.node) for bar in bars],
            "Start": [round(bar.start, 3) for bar in bars],
            "End": [round(bar.end, 3) for bar in bars],
            "Seconds": [round(bar.seconds, 2) for bar in bars],
            "Critical": [bar.is_critical for bar in bars],
        }
    )


def _how(node: NodeResult) -> str:
    if node.status.is_bad:
        return "Failed"
    words = {"Running": "Running", "Warn": "Warned", "Interrupted": "Interrupted"}
    return words.get(node.status.style.word, "Done")


def _concurrency(found: Timeline) -> None:
    """How many nodes ran at each moment, under the number of threads."""
    steps = concurrency(found.bars)
    every = max(1, len(steps) // 600)
    rows = pd.DataFrame(steps[::every] + steps[-1:], columns=["Second", "Nodes"])
    line = {"type": "area", "interpolate": "step-after", "opacity": 0.55, "color": "#3B82F6"}
    limit = {
        "mark": {"type": "rule", "aria": False, "strokeDash": [4, 3], "color": "#8A96A6"},
        "encoding": {"y": {"datum": found.threads}},
    }
    axes = {
        "x": {"field": "Second", "type": "quantitative", "title": None},
        "y": {"field": "Nodes", "type": "quantitative", "title": "Nodes at once", "axis": {"tickMinStep": 1}},
    }
    st.vega_lite_chart(
        rows,
        {"layer": [{"mark": line, "encoding": axes}, limit]},
        height=110,
        alt="How many nodes ran at once over time, and how many threads there were",
    )


def _critical(path: Sequence[Bar]) -> None:
    shown = [f"**{plain(bar.node.name)}** {duration(bar.seconds)}" for bar in path[-_NAMED:]]
    lead = ["…"] if len(path) > _NAMED else []
    st.markdown("Critical path: " + " → ".join([*lead, *shown]))
