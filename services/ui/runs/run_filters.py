"""The filters of the run history, each bound to the URL so that a filtered view can be shared."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
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
    "days": (),
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
    "days": "Days",
    "q": "Search",
}


IN_THE_COMPONENT = ("state", "q")
"""Filters that are no widget of Streamlit's: only the address holds them."""


def rarer_filters(projects: list[str], people: list[str]) -> None:
    """Draw the filters that the browser loads only once their popover is opened; the address holds their labels."""
    with st.popover("Filters", icon=":material/filter_alt:"):
        _rarer_filters(projects, people)


def _rarer_filters(projects: list[str], people: list[str]) -> None:
    _several("project", projects, placeholder="All projects")
    _several("operator", [each.label for each in OPERATORS.values()], placeholder="All operators")
    _several("how", list(TRIGGER_WORDS.values()), placeholder="Anything")
    _several("who", people, placeholder="Everybody")
    st.selectbox(TITLES["when"], list(WINDOWS), key="when", bind="query-params", on_change=_one_time, args=("days",))
    st.date_input(
        TITLES["days"],
        value=[],
        key="days",
        bind="query-params",
        format="YYYY-MM-DD",
        on_change=_one_time,
        args=("when",),
        help="Whole days, the first and the last; or all since one day.",
    )


def _several(key: str, options: list[str], *, placeholder: str) -> None:
    st.multiselect(
        TITLES[key], options, key=key, bind="query-params", placeholder=placeholder, on_change=_first_page, width=320
    )


def _one_time(other: str) -> None:
    """The window and the days are two ways to say when: the one that was set last counts."""
    st.session_state[other] = NOTHING_LEFT_OUT[other]
    _first_page()


def offered(person: str, people: list[str]) -> dict[str, Any]:
    """What the history draws of the filters; all that it offers is filters as the address has them."""
    chosen = active_filters()
    return {
        "chosen": chosen,
        "states": [state.style.word for state in RunState],
        "presets": _presets(person, people),
        "chips": [
            (words, {other: value for other, value in chosen.items() if other != key})
            for key, words in zip(chosen, in_words(chosen), strict=True)
            if key not in IN_THE_COMPONENT
        ],
    }


def _presets(person: str, people: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """The views that people want most; each is filters like any other, so its address can be shared."""
    return [
        ("Running now", {"state": [state.style.word for state in LIVE]}),
        ("Failed today", {"state": [RunState.FAILED.style.word], "when": TODAY}),
        *([("Mine", {"who": [person]})] if person in people else []),
    ]


def chosen_values() -> dict[str, Any]:
    """What each filter says, once the widgets are drawn. A state that does not exist is none."""
    asked = st.query_params.get_all("state")
    state = [each.style.word for each in RunState if each.style.word in asked]
    widgets = {key: st.session_state[key] for key in NOTHING_LEFT_OUT if key in st.session_state}
    return NOTHING_LEFT_OUT | widgets | {"state": state, "q": st.query_params.get("q", "")}


def meaning(values: Mapping[Any, Any]) -> RunFilter:
    """What filters with these values let through."""
    since, until = _days(values["days"])
    return RunFilter(
        projects=list(values["project"]),
        states=[run_state for run_state in RunState if run_state.style.word in values["state"]],
        operators=[name for name, each in OPERATORS.items() if each.label in values["operator"]],
        triggers=[trigger for trigger, word in TRIGGER_WORDS.items() if word in values["how"]],
        people=list(values["who"]),
        since=since or _since(values["when"]),
        until=until,
        text=values["q"],
    )


def window(values: Mapping[Any, Any]) -> str:
    """The time that filters choose, in words that stay the same while it goes on."""
    return f"{values['when']} {_stored('days', values['days'])}"


def _days(days: Sequence[date | str]) -> tuple[datetime | None, datetime | None]:
    """The beginning of the first day, and the end of the last if there is a second, where the person is."""
    first, last = (_midnight(day) for day in (*days, None, None)[:2])
    return first, last + timedelta(days=1) if last else None


def _midnight(day: date | str | None) -> datetime | None:
    return datetime.combine(date.fromisoformat(str(day)), time(), _zone()) if day else None


def _since(window: str) -> datetime | None:
    if window == TODAY:
        return _midnight(now().astimezone(_zone()).date())
    back = WINDOWS.get(window)
    return now() - back if back else None


def _zone() -> tzinfo:
    """Where the person's browser says that it is: their day begins there."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def active_filters() -> dict[str, Any]:
    """The filters that leave something out, as the address holds them."""
    values = chosen_values()
    return {
        key: _stored(key, values[key])
        for key, nothing in NOTHING_LEFT_OUT.items()
        if values[key] not in (nothing, None)
    }


def _stored(key: str, value: Any) -> Any:
    return [str(day) for day in value] if key == "days" else value


def is_filtered() -> bool:
    """Whether any filter leaves something out."""
    return bool(active_filters())


def in_words(filters: Mapping[str, Any]) -> list[str]:
    """Filters as people read them, one sentence part each."""
    return [f"{TITLES[key]}: {_listed(key, value)}" for key, value in filters.items() if key in TITLES]


def _listed(key: str, value: str | Sequence[str]) -> str:
    if key == "days":
        return " to ".join(value) if len(value) > 1 else f"since {value[0]}"
    return value if isinstance(value, str) else ", ".join(value)


def clear_filters() -> None:
    """Take all filters away; for a button's on_click."""
    choose({})


def choose(values: Mapping[str, Any]) -> None:
    """Set the filters; before they are drawn, or in a callback."""
    for key, nothing in NOTHING_LEFT_OUT.items():
        value = values.get(key, nothing)
        if key in IN_THE_COMPONENT:
            _put(key, value)
        else:
            st.session_state[key] = tuple(map(date.fromisoformat, value)) if key == "days" else value
    _first_page()


def _put(key: str, value: Any) -> None:
    """Write into the address what no widget writes there."""
    if value:
        st.query_params[key] = value
    else:
        st.query_params.pop(key, None)


def _first_page() -> None:
    st.query_params.pop("page", None)
