"""The operators side by side, with what an analyst needs to choose one, and what our own history says of each."""

from datetime import timedelta

import streamlit as st

from contracts.operators import OperatorName
from models.types import now
from services.operators import OPERATORS, Operator
from services.runs import operator_figures
from services.runs.figures import Figures
from services.runs.history import RunFilter
from services.ui.words import count, duration

_ROWS = (
    ("Choose it for", "choose_when"),
    ("Google Cloud", "google"),
    ("Choice of clusters", "clusters"),
    ("Control over resources", "resources"),
    ("Start-up", "start_up"),
    ("Isolation", "isolation"),
    ("Cost", "cost"),
)
_MEASURED_OVER = timedelta(days=90)


def operator_cards(chosen: OperatorName) -> None:
    """Draw a card for each operator; the chosen one says so."""
    measured = _measured()
    for column, each in zip(st.columns(len(OPERATORS)), OPERATORS.values(), strict=True):
        with column.container(border=True, height="stretch", gap="xsmall"):
            _card(each, measured.get(each.name), is_chosen=each.name is chosen)


@st.cache_data(ttl="60s", show_spinner=False)
def _measured() -> dict[OperatorName, Figures]:
    found = operator_figures.by_operator(RunFilter(since=now() - _MEASURED_OVER))
    return {each.operator: each.figures for each in found}


def _card(each: Operator, measured: Figures | None, *, is_chosen: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"{each.icon} **{each.label}**", width="content")
        if is_chosen:
            st.badge("Chosen", icon=":material/check:", color="blue")
    st.markdown(each.description)
    for title, name in _ROWS:
        st.caption(f"**{title}**  \n{getattr(each.advice, name)}")
    st.caption(f"**Measured here**  \n{_told(measured)}")


def _told(measured: Figures | None) -> str:
    if measured is None or measured.queued_seconds is None:
        return "Nothing yet: no run of the last 90 days."
    waited = f"{duration(measured.queued_seconds)} from launch until dbt starts"
    lasted = f", {duration(measured.median_seconds)} a run" if measured.median_seconds is not None else ""
    return f"{waited}{lasted}: medians of {count(measured.runs, 'run')} of the last 90 days."
