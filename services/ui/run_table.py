"""A table of runs whose rows open the run's page."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from models.run import Run, Trigger
from models.run_state import RunState
from services.operators import operator
from services.ui.words import between, duration

_TRIGGER_WORDS = {
    Trigger.MANUAL: "by hand",
    Trigger.SCHEDULE: "schedule",
    Trigger.AIRFLOW: "Airflow",
    Trigger.RETRY: "retry",
}


def run_table(runs: Sequence[Run], *, key: str) -> None:
    """Draw the runs, one a row; its first cell opens the run's page in the same tab."""
    styles = [state.style for state in RunState]
    st.dataframe(
        _frame(runs),
        key=key,
        hide_index=True,
        height="content",
        column_config={
            "Run": st.column_config.ButtonColumn(
                width=80,
                key=f"{key}_open",
                on_click=_open,
                args=(f"{key}_open", [run.id for run in runs]),
                help="Opens the run",
            ),
            "State": st.column_config.MultiselectColumn(
                options=[style.label for style in styles], color=[style.colour for style in styles], width=108
            ),
            "Project": st.column_config.TextColumn(width=125),
            "Command": st.column_config.TextColumn(width=165),
            "Nodes": st.column_config.TextColumn(width=165),
            "Created": st.column_config.DatetimeColumn(format="distance", width=105),
            "Queued for": st.column_config.TextColumn(width=80),
            "Ran for": st.column_config.TextColumn(width=75),
            "Launched by": st.column_config.TextColumn(width=85),
        },
        alt="Runs, newest first",
    )
    chosen = st.session_state.pop("open_run", None)
    if chosen is not None:
        st.switch_page("pages/run.py", query_params={"run_id": str(chosen)})


def _open(click_key: str, ids: list[int]) -> None:
    click = st.session_state[click_key]
    if click is not None:
        st.session_state["open_run"] = ids[click["row"]]


def _frame(runs: Sequence[Run]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Run": [f"Open {run.id}" for run in runs],
            "State": [[run.state.style.label] for run in runs],
            "Project": [run.project for run in runs],
            "Command": [f"dbt {run.command}" for run in runs],
            "Nodes": [_nodes(run) for run in runs],
            "Created": pd.to_datetime([run.created_at for run in runs], utc=True),
            "Queued for": [duration(between(run.created_at, run.started_at or run.finished_at)) for run in runs],
            "Ran for": [duration(between(run.started_at, run.finished_at)) for run in runs],
            "Launched by": [run.launched_by or "" for run in runs],
            "How": [_TRIGGER_WORDS[run.trigger] for run in runs],
            "Operator": [operator(run.operator).label for run in runs],
            "Target": [run.target or "" for run in runs],
        }
    )


def _nodes(run: Run) -> str:
    if not run.nodes_total:
        return ""
    bad = [f"{run.nodes_error} failed"] if run.nodes_error else []
    bad += [f"{run.nodes_warn} warned"] if run.nodes_warn else []
    bad += [f"{run.nodes_skipped} skipped"] if run.nodes_skipped else []
    return ", ".join([f"{run.nodes_ok} of {run.nodes_total} ok", *bad])
