"""States as badges: a word, a shape and a colour, so that colour alone never carries a state."""

from typing import Literal, cast

import streamlit as st

from models.project import Step, StepState
from models.run_state import StateStyle

Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray"]

STEP_WORDS = {
    Step.SAVED: "Saved",
    Step.SOURCE_READY: "Source ready",
    Step.PARSED: "Parsed by dbt",
    Step.PUBLISHED: "Published",
    Step.KNOWN_TO_AIRFLOW: "Known to Airflow",
}
STEP_STYLES = {
    StepState.PENDING: StateStyle("Waiting", ":material/radio_button_unchecked:", "○", "gray", is_terminal=False),
    StepState.RUNNING: StateStyle("Working", ":material/progress_activity:", "◔", "blue", is_terminal=False),
    StepState.DONE: StateStyle("Done", ":material/check_circle:", "✔", "green", is_terminal=True),
    StepState.FAILED: StateStyle("Failed", ":material/error:", "✖", "red", is_terminal=True),
}


def badge(style: StateStyle, *, help: str | None = None) -> None:
    """Draw a state's badge."""
    st.badge(style.word, icon=style.icon, color=cast(Colour, style.colour), help=help)
