"""The log tab of a run's page: which log of which try, the viewer, and the whole file to download."""

from collections.abc import Sequence

import streamlit as st

from models.run import Invocation, Run
from services import logs
from services.ui.log_view import log_view
from services.ui.run_pod import airflow_log_notice

_SOURCES: dict[logs.Source, str] = {"dbt": "dbt", "airflow": "Airflow task"}


def run_log(run: Run, invocations: Sequence[Invocation]) -> None:
    """Draw the chosen log; the line clicked and the text looked for live in the URL."""
    if not invocations:
        st.info("No log yet: Airflow has not started the task.", icon=":material/hourglass_top:")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        source = (
            st.segmented_control(
                "Source",
                list(_SOURCES),
                default="dbt",
                required=True,
                format_func=_SOURCES.__getitem__,
                key="log_source",
                label_visibility="collapsed",
            )
            or "dbt"
        )
        invocation = _chosen_try(invocations)
        st.space("stretch")
        path = logs.path_of(invocation, source)
        st.download_button(
            "Download log",
            data=lambda: path.read_bytes() if path.exists() else b"",
            file_name=f"run-{run.id}-{source}.{'jsonl' if source == 'dbt' else 'log'}",
            mime="text/plain",
            on_click="ignore",
            icon=":material/download:",
        )
    airflow_log_notice(run, invocation)
    line = log_view(
        f"{invocation.id}-{source}",
        lambda first, last: logs.read_window(invocation, source, first=first, last=last),
        key="log",
        start=invocation.started_at or invocation.created_at,
        anchor=st.query_params.get("line"),
        search=st.query_params.get("find", ""),
        empty="Waiting for the first line…" if not run.state.is_terminal else "Nothing was logged here.",
    )
    if line:
        st.query_params["line"] = line


def _chosen_try(invocations: Sequence[Invocation]) -> Invocation:
    if len(invocations) == 1:
        return invocations[0]
    number = st.selectbox(
        "Try",
        [invocation.try_number for invocation in invocations],
        index=len(invocations) - 1,
        format_func=lambda number: f"Try {number}",
        key="log_try",
        label_visibility="collapsed",
        width=120,
    )
    return next(invocation for invocation in invocations if invocation.try_number == number)
