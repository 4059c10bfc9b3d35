"""The timeline tab of a run's page: the run's stages, and its nodes as bars on dbt's threads."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from models.run import NodeResult, Run
from services import projects
from services.errors import NotFound
from services.timeline import Bar, Stage, Timeline, stages, timeline
from services.ui.words import duration, plain

_NAMED = 12
_HOW = {"Done": "#2E9E66", "Warned": "#D97706", "Failed": "#D9534F", "Interrupted": "#8A96A6", "Running": "#3B82F6"}


def run_timeline(run: Run, nodes: Sequence[NodeResult]) -> None:
    """Draw where the time went, also of a run that lives, failed or was cancelled."""
    _stages(stages(run, nodes))
    found = timeline(nodes, _graph(run.project), until=run.finished_at)
    if found is None:
        st.caption("No node has started.")
        return
    st.subheader("Nodes by thread", anchor=False)
    st.caption(_in_words(found))
    _gantt(found)
    _critical(found.critical)


def _graph(project: str) -> dict[str, list[str]]:
    """What depends on what as last parsed; nothing of a project that is gone."""
    try:
        return {node.unique_id: node.depends_on for node in projects.nodes_of(project)}
    except NotFound:
        return {}


def _stages(found: Sequence[Stage]) -> None:
    st.subheader("Stages", anchor=False)
    for column, stage in zip(st.columns(max(1, len(found))), found, strict=False):
        share = stage.seconds / found[-1].end if found[-1].end else 0
        column.markdown(f":small[:gray[{stage.name}]]  \n**{duration(stage.seconds)}** :gray[{share:.0%}]")


def _in_words(found: Timeline) -> str:
    peak = "one node at a time" if found.peak == 1 else f"up to {found.peak} nodes at a time"
    return (
        f"It ran {peak}; the threads were busy {found.busy_share:.0%} of the time. The critical path "
        f"({len(found.critical)} nodes, outlined) took {duration(found.critical_seconds)}: more threads cannot beat it."
    )


def _gantt(found: Timeline) -> None:
    st.vega_lite_chart(
        _frame(found.bars),
        {
            "mark": {"type": "bar", "cornerRadius": 2, "stroke": "#7A4FD0"},
            "encoding": {
                "y": {"field": "Thread", "type": "nominal", "title": None, "sort": None},
                "x": {"field": "Start", "type": "quantitative", "title": "Seconds"},
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
        alt="Each node as a bar on the thread that ran it",
    )


def _frame(bars: Sequence[Bar]) -> pd.DataFrame:
    threads = sorted({bar.node.thread or "" for bar in bars}, key=lambda name: (len(name), name))
    number = {name: f"Thread {place}" for place, name in enumerate(threads, start=1)}
    return pd.DataFrame(
        {
            "Thread": [number[bar.node.thread or ""] for bar in bars],
            "Name": [bar.node.name for bar in bars],
            "How": [_how(bar.node) for bar in bars],
            "Start": [bar.start for bar in bars],
            "End": [bar.end for bar in bars],
            "Seconds": [round(bar.seconds, 2) for bar in bars],
            "Critical": [bar.is_critical for bar in bars],
        }
    )


def _how(node: NodeResult) -> str:
    if node.status.is_bad:
        return "Failed"
    words = {"Running": "Running", "Warn": "Warned", "Interrupted": "Interrupted"}
    return words.get(node.status.style.word, "Done")


def _critical(path: Sequence[Bar]) -> None:
    shown = [f"**{plain(bar.node.name)}** {duration(bar.seconds)}" for bar in path[-_NAMED:]]
    lead = ["…"] if len(path) > _NAMED else []
    st.markdown("Critical path: " + " → ".join([*lead, *shown]))
