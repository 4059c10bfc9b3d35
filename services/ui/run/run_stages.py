"""Where a run's time went, as one bar and in figures."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from services.run.run_stages import Stage
from services.ui.words import duration

_COLOURS = {
    "Handed to Airflow": "#94A3B8",
    "Airflow": "#64748B",
    "Airflow and queues": "#64748B",
    "dbt API's queue": "#B45309",
    "Pod scheduling": "#B45309",
    "Image pull": "#D97706",
    "Cloning": "#EAB308",
    "Pod starts": "#F0A95B",
    "dbt starts": "#8B6BD1",
    "dbt starts and parses": "#8B6BD1",
    "Parsing": "#6D4BC3",
    "Reading schemas": "#5B8DEF",
    "Nodes": "#2E9E66",
    "dbt wraps up": "#5CA88A",
    "Wrapping up": "#5CA88A",
    "Airflow ends the run": "#475569",
}
_LIST = "display:flex;flex-wrap:wrap;gap:0.25rem 1.5rem;margin:0;padding:0;list-style:none;font-size:0.875rem"


def stages_bar(found: Sequence[Stage], *, is_over: bool) -> None:
    """Draw the stages; those of no length are left out."""
    shown = [stage for stage in found if stage.seconds >= 0.05] or list(found)
    st.header("Where the time went", anchor=False)
    total = sum(stage.seconds for stage in found)
    longest = max(shown, key=lambda stage: stage.seconds, default=None)
    if longest and total:
        so_far = "" if is_over else " so far"
        share = longest.seconds / total
        st.caption(f"{duration(total)} in all{so_far}, {share:.0%} of it: {longest.name}.")
    _bar(shown, total)
    _figures(shown, total)


def _figures(shown: Sequence[Stage], total: float) -> None:
    """The legend of the bar, with each stage's seconds: one list, for screen readers too. All names are ours."""
    entries = "".join(
        f'<li><span style="color:{_COLOURS[stage.name]}" aria-hidden="true">■</span> {stage.name} '
        f"<b>{duration(stage.seconds)}</b> ({stage.seconds / (total or 1):.0%})</li>"
        for stage in shown
    )
    st.html(f'<ul style="{_LIST}">{entries}</ul>')


def _bar(shown: Sequence[Stage], total: float) -> None:
    rows = pd.DataFrame(
        {
            "Stage": [stage.name for stage in shown],
            "Start": [stage.start for stage in shown],
            "End": [stage.end for stage in shown],
            "Took": [duration(stage.seconds) for stage in shown],
        }
    )
    names = [name for name in _COLOURS if any(stage.name == name for stage in shown)]
    st.vega_lite_chart(
        rows,
        {
            "mark": {"type": "bar", "height": 22},
            "encoding": {
                "x": {
                    "field": "Start",
                    "type": "quantitative",
                    "title": "Seconds since it was created",
                    "scale": {"domain": [0, total or 1]},
                },
                "x2": {"field": "End"},
                "color": {
                    "field": "Stage",
                    "scale": {"domain": names, "range": [_COLOURS[name] for name in names]},
                    "legend": None,
                },
                "tooltip": [{"field": "Stage"}, {"field": "Took"}],
            },
        },
        height=75,
        alt="The run's stages one after another",
    )
