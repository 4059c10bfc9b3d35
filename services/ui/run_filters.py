"""The filters of the run history, each bound to the URL so that a filtered view can be shared."""

from datetime import timedelta
from typing import Any

import streamlit as st

from models.run_state import RunState
from models.types import now
from services.history import RunFilter
from services.operators import OPERATORS

WINDOWS = {
    "Any time": None,
    "Last hour": timedelta(hours=1),
    "Last 24 hours": timedelta(days=1),
    "Last 7 days": timedelta(days=7),
    "Last 30 days": timedelta(days=30),
}
_KEYS = {"state": [], "project": [], "operator": [], "who": [], "when": "Any time", "q": ""}
"""The filters and what they say when they leave nothing out."""


def run_filters(projects: list[str], people: list[str]) -> RunFilter:
    """Draw the filters and return what they mean. The URL holds the labels, so labels are plain words."""
    st.pills(
        "State",
        [state.style.word for state in RunState],
        selection_mode="multi",
        key="state",
        bind="query-params",
        on_change=_first_page,
        label_visibility="collapsed",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Search",
            key="q",
            bind="query-params",
            placeholder="Command, message, commit…",
            icon=":material/search:",
            on_change=_first_page,
            width=200,
        )
        _several("Project", projects, key="project", placeholder="All projects")
        _several("Operator", [each.label for each in OPERATORS.values()], key="operator", placeholder="All operators")
        _several("Launched by", people, key="who", placeholder="Everybody")
        st.selectbox("When", list(WINDOWS), key="when", bind="query-params", on_change=_first_page, width=130)
        st.button("Clear filters", icon=":material/filter_alt_off:", on_click=clear_filters, disabled=not is_filtered())
    return _chosen()


def _several(label: str, options: list[str], *, key: str, placeholder: str) -> None:
    st.multiselect(
        label, options, key=key, bind="query-params", placeholder=placeholder, on_change=_first_page, width=148
    )


def _chosen() -> RunFilter:
    state = st.session_state
    window = WINDOWS[state.when]
    return RunFilter(
        projects=list(state.project),
        states=[run_state for run_state in RunState if run_state.style.word in state.state],
        operators=[name for name, each in OPERATORS.items() if each.label in state.operator],
        people=list(state.who),
        since=now() - window if window else None,
        text=state.q,
    )


def presets(person: str, people: list[str]) -> None:
    """Draw the views that people want most; each is filters like any other, so its address can be shared."""
    live = [state.style.word for state in RunState if not state.is_terminal]
    _preset("Running now", "play_circle", {"state": live})
    _preset("Failed today", "error", {"state": [RunState.FAILED.style.word], "when": "Last 24 hours"})
    if person in people:
        _preset("Mine", "person", {"who": [person]})


def _preset(label: str, icon: str, values: dict[str, Any]) -> None:
    st.button(label, icon=f":material/{icon}:", type="tertiary", on_click=_choose, args=(values,))


def is_filtered() -> bool:
    """Whether any filter leaves something out."""
    return any(st.session_state.get(key, nothing) != nothing for key, nothing in _KEYS.items())


def clear_filters() -> None:
    """Take all filters away; for a button's on_click."""
    _choose({})


def _choose(values: dict[str, Any]) -> None:
    for key, nothing in _KEYS.items():
        st.session_state[key] = values.get(key, nothing)
    _first_page()


def _first_page() -> None:
    st.session_state["page"] = 1
