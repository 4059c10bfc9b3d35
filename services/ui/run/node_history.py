"""A node across runs: a strip of what became of it, and its durations as a chart."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from services.run.node_pasts import Past
from services.ui.words import plain

_WORDS = {"green": "Done", "orange": "Warned", "red": "Failed", "gray": "Skipped", "blue": "Running"}
_COLOURS = {"Done": "#2E9E66", "Warned": "#D97706", "Failed": "#D9534F", "Skipped": "#8A96A6", "Running": "#3B82F6"}


def glyphs(past: Sequence[Past]) -> str:
    """One sign a run, oldest first: what a table's cell can hold."""
    return " ".join(each.status.style.glyph for each in past)


def strip(past: Sequence[Past]) -> None:
    """Draw the signs in their colours, with words for those who don't see them."""
    signs = " ".join(f":{each.status.style.colour}[{each.status.style.glyph}]" for each in past)
    told = ", ".join(f"run {each.run_id} {each.status.style.word.lower()}" for each in past)
    st.markdown(f":small[:gray[Last runs]] {signs}", help=plain(f"Oldest first: {told}"), width="content")


def chart(past: Sequence[Past], *, alt: str) -> None:
    """Draw the durations, coloured by state; a click on the legend is not needed to tell them: the tip says all."""
    rows = [
        {
            "Run": f"{each.run_id}",
            "Seconds": round(each.seconds or 0, 2),
            "How": _WORDS[each.status.style.colour],
            "Rows": each.rows,
        }
        for each in past
    ]
    st.vega_lite_chart(
        pd.DataFrame(rows),
        {
            "mark": {"type": "bar", "cornerRadiusEnd": 2},
            "encoding": {
                "x": {"field": "Run", "type": "nominal", "sort": None, "axis": {"labelAngle": 0}},
                "y": {"field": "Seconds", "type": "quantitative"},
                "color": {
                    "field": "How",
                    "scale": {"domain": list(_COLOURS), "range": list(_COLOURS.values())},
                    "legend": None,
                },
                "tooltip": [{"field": name} for name in ("Run", "How", "Seconds", "Rows")],
            },
        },
        height=150,
        alt=alt,
    )
