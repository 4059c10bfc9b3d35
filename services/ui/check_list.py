"""What an operator's preflight found: a line for each check, with its result and what to do about it."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from models.project import Project
from models.types import now
from services.operators import Check, operator
from services.ui.words import ago, count, plain

_MARKS = {
    True: ":green[:material/check_circle:]",
    False: ":red[:material/error:]",
    None: ":orange[:material/help:]",
}


def check_button(project: Project, *, key: str, told: str) -> None:
    """Draw a button that asks everything that can be asked beforehand, and below it what was found for this project."""
    asked = (project.name, project.operator, str(project.operator_parameters), project.pool, project.executor)
    if st.button("Check now", icon=":material/fact_check:", key=f"{key}_check", help=told, width="stretch"):
        with st.spinner("Asking the systems that a run needs…"):
            st.session_state[f"{key}_checks"] = (asked, operator(project.operator).preflight(project), now())
    known, checks, checked_at = st.session_state.get(f"{key}_checks", (None, [], None))
    if known == asked:
        _draw(checks, checked_at)


def _draw(checks: Sequence[Check], checked_at: datetime) -> None:
    wrong, open_ = (sum(check.passed is passed for check in checks) for passed in (False, None))
    if wrong:
        st.error(f"{count(wrong, 'check')} failed: a run would not succeed.", icon=":material/error:")
    else:
        left = f" {open_} could not be made from here." if open_ else ""
        st.success(f"Nothing stands in the way.{left}", icon=":material/check_circle:")
    for check in checks:
        hint = f"  \n:small[{plain(check.hint)}]" if check.hint and check.passed is not True else ""
        st.markdown(f"{_MARKS[check.passed]} **{plain(check.title)}** {plain(check.message)}{hint}")
    st.caption(f"Asked {ago(checked_at)}")
