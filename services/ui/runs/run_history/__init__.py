"""The history as one component: filters, figures, each project's last runs, and the table.

One, because each element of Streamlit's keeps the browser busy for several milliseconds before the page is seen.
"""

from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from services.ui.components import SHARED, component
from services.ui.on_return import SCRIPT as ON_RETURN
from services.ui.runs import run_figures, run_strips, run_table
from services.ui.runs.run_filters import choose

KEY = "run_history"
PAGE, TAB = "page", "tab"
"""What the address holds besides filters."""

_HERE = Path(__file__).parent
_PARTS = (run_figures, run_strips, run_table)
_FOR_ALL = ("show", "project", TAB)
"""Clicks after which the whole page is another."""


@cache
def _component() -> Any:
    return component(
        KEY,
        scripts=(
            SHARED,
            ON_RETURN,
            *(part.SCRIPT for part in _PARTS),
            _HERE / "run_filters.js",
            _HERE / "run_history.js",
        ),
        css=[*(part.STYLE for part in _PARTS), _HERE / "run_history.css"],
        draws="runHistory",
    )


def run_history(data: dict[str, Any]) -> None:
    """Draw it, and do what was clicked in it: filters and places go into the address, orders are carried out here."""
    click = _component()(data=data, key=KEY, on_clicked_change=_into_the_address).clicked
    if not click:
        return
    if "runs" in click:
        run_table.carry_out(click["what"], [int(number) for number in click["runs"]])
    elif click["what"] == "run":
        run_strips.follow("run", click["which"])


def wants_another_page() -> bool:
    """Whether the click that is being answered changes more than the component itself."""
    return bool(click := _clicked()) and click["what"] in _FOR_ALL


def _into_the_address() -> None:
    click = _clicked() or {"what": ""}
    if click["what"] == "show":
        choose(click["filters"])
    elif click["what"] == "project":
        choose({"project": [click["which"]]})
    elif click["what"] in (PAGE, TAB):
        st.query_params[click["what"]] = click["which"]


def _clicked() -> Any:
    return getattr(st.session_state.get(KEY), "clicked", None)
