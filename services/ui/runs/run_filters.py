"""The filters of the run history, each bound to the URL so that a filtered view can be shared."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from models.run_state import RunState
from models.types import now
from services.operators import OPERATORS
from services.runs.history import LIVE, RunFilter
from services.ui.words import TRIGGER_WORDS

ANY_TIME, TODAY = "Any time", "Today"
WINDOWS = {
    ANY_TIME: None,
    "Last hour": timedelta(hours=1),
    TODAY: None,
    "Last 24 hours": timedelta(days=1),
    "Last 7 days": timedelta(days=7),
    "Last 30 days": timedelta(days=30),
    "Last 90 days": timedelta(days=90),
}
NOTHING_LEFT_OUT: dict[str, Any] = {
    "state": [],
    "project": [],
    "operator": [],
    "how": [],
    "who": [],
    "when": ANY_TIME,
    "q": "",
}
"""The filters by their name in the address, and what they say when they leave nothing out."""
TITLES = {
    "state": "State",
    "project": "Project",
    "operator": "Operator",
    "how": "How",
    "who": "Launched by",
    "when": "When",
    "q": "Search",
}


def run_filters(projects: list[str], people: list[str]) -> RunFilter:
    """Draw the filters and return what they mean. The URL holds the labels, so labels are plain words."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.pills(
            TITLES["state"],
            [state.style.word for state in RunState],
            selection_mode="multi",
            key="state",
            bind="query-params",
            on_change=_first_page,
            label_visibility="collapsed",
        )
        st.space("stretch")
        clear = st.container(width="content")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            TITLES["q"],
            key="q",
            bind="query-params",
            placeholder="Command, message, commit…",
            icon=":material/search:",
            on_change=_first_page,
            width=200,
        )
        _several("project", projects, placeholder="All projects")
        _several("operator", [each.label for each in OPERATORS.values()], placeholder="All operators")
        _several("how", list(TRIGGER_WORDS.values()), placeholder="Anything")
        _several("who", people, placeholder="Everybody")
        st.selectbox(TITLES["when"], list(WINDOWS), key="when", bind="query-params", on_change=_first_page, width=125)
    clear.button(
        "Clear filters",
        icon=":material/filter_alt_off:",
        type="tertiary",
        on_click=clear_filters,
        disabled=not is_filtered(),
    )
    return meaning(st.session_state)


def _several(key: str, options: list[str], *, placeholder: str) -> None:
    st.multiselect(
        TITLES[key],
        options,
        key=key,
        bind="query-params",
        placeholder=placeholder,
        on_change=_first_page,
        width=140,
    )


def meaning(values: Mapping[Any, Any]) -> RunFilter:
    """What filters with these values let through."""
    return RunFilter(
        projects=list(values["project"]),
        states=[run_state for run_state in RunState if run_state.style.word in values["state"]],
        operators=[name for name, each in OPERATORS.items() if each.label in values["operator"]],
        triggers=[trigger for trigger, word in TRIGGER_WORDS.items() if word in values["how"]],
        people=list(values["who"]),
        since=_since(values["when"]),
        text=values["q"],
    )


def _since(window: str) -> datetime | None:
    if window == TODAY:
        return now().astimezone(_zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    back = WINDOWS.get(window)
    return now() - back if back else None


def _zone() -> tzinfo:
    """Where the person's browser says that it is: their day begins there."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def presets(person: str, people: list[str]) -> None:
    """Draw the views that people want most; each is filters like any other, so its address can be shared."""
    _preset("Running now", "play_circle", {"state": [state.style.word for state in LIVE]})
    _preset("Failed today", "error", {"state": [RunState.FAILED.style.word], "when": TODAY})
    if person in people:
        _preset("Mine", "person", {"who": [person]})


def _preset(label: str, icon: str, values: dict[str, Any]) -> None:
    st.button(label, icon=f":material/{icon}:", type="tertiary", on_click=choose, args=(values,))


def active_filters() -> dict[str, Any]:
    """The filters that leave something out, as the address holds them."""
    state = st.session_state
    return {
        key: state[key]
        for key, nothing in NOTHING_LEFT_OUT.items()
        if key in state and state[key] not in (nothing, None)
    }


def is_filtered() -> bool:
    """Whether any filter leaves something out."""
    return bool(active_filters())


def in_words(filters: Mapping[str, Any]) -> list[str]:
    """Filters as people read them, one sentence part each."""
    return [f"{TITLES[key]}: {_listed(value)}" for key, value in filters.items() if key in TITLES]


def _listed(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def clear_filters() -> None:
    """Take all filters away; for a button's on_click."""
    choose({})


def choose(values: Mapping[str, Any]) -> None:
    """Set the filters; before they are drawn, or in a callback."""
    for key, nothing in NOTHING_LEFT_OUT.items():
        st.session_state[key] = values.get(key, nothing)
    _first_page()


def _first_page() -> None:
    st.session_state["page"] = 1
