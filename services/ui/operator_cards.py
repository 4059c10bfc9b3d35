"""The operators side by side, with what an analyst needs to choose one."""

import streamlit as st

from contracts.operators import OperatorName
from services.operators import OPERATORS, Operator

_ROWS = (
    ("Choose it for", "choose_when"),
    ("Start-up", "start_up"),
    ("Isolation", "isolation"),
    ("Resources", "resources"),
    ("Cost", "cost"),
)


def operator_cards(chosen: OperatorName) -> None:
    """Draw a card for each operator; the chosen one says so."""
    for column, each in zip(st.columns(len(OPERATORS)), OPERATORS.values(), strict=True):
        with column.container(border=True, height="stretch", gap="xsmall"):
            _card(each, is_chosen=each.name is chosen)


def _card(each: Operator, *, is_chosen: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"{each.icon} **{each.label}**", width="content")
        if is_chosen:
            st.badge("Chosen", icon=":material/check:", color="blue")
        if not each.available:
            st.badge("Not in this version", icon=":material/block:", color="gray")
    st.markdown(each.description)
    for title, name in _ROWS:
        st.caption(f"**{title}**  \n{getattr(each.advice, name)}")
