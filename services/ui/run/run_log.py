"""The log tab of a run's page, and the way into it from elsewhere on the page."""

import streamlit as st

from models.run import Invocation, Run
from services.logs.query import Shown
from services.ui import shell
from services.ui.log_view import JUMP, PARAMETERS, log_view
from services.ui.run.missing_end import missing_end
from services.ui.run.run_pod import airflow_log_notice

_SOURCES: dict[Shown, str] = {"dbt": "dbt", "airflow": "Airflow task", "all": "All, by time"}
_POD_SOURCES: dict[Shown, str] = {
    "dbt": "dbt",
    "init": "Init container",
    "airflow": "Airflow task",
    "all": "All, by time",
}


def run_log(run: Run, invocations: list[Invocation]) -> None:
    """Draw the log of the try, source and filter that the address names."""
    if not invocations:
        st.info("No log yet: Airflow has not started the task.", icon=":material/hourglass_top:")
        return
    airflow_log_notice(run, invocations[-1])
    sources = _POD_SOURCES if run.operator.runs_in_pods else _SOURCES
    live = not (run.state.is_terminal and run.collected)
    missing = {one.id: missing_end(run, one) or "" for one in invocations}
    log_view(run, invocations, sources, person=shell.current_user(), live=live, missing=missing, key="log")


def open_log(*, line: int | None = None, find: str = "", about: str = "") -> None:
    """Open the log tab of the last try; the address then says so too.

    It opens at a line of dbt's, or with the lines about one node only, or at what is looked for.
    """
    st.session_state["tab"] = "Log"
    for parameter in PARAMETERS:
        st.query_params.pop(parameter, None)
    st.session_state[JUMP] = st.session_state.get(JUMP, 0) + 1
    name, value = ("line", str(line)) if line else ("about", about) if about else ("find", find)
    st.query_params[name] = value
