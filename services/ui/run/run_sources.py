"""The sources tab of a run's page: how fresh each table was when it was checked."""

import pandas as pd
import streamlit as st

from models.run import Invocation
from models.run_state import NodeStatus
from services.run.freshness import Freshness, freshness_of
from services.ui.words import count, duration, listed


def run_sources(invocation: Invocation | None) -> None:
    """Draw the freshness of the sources that the run checked."""
    found = freshness_of(invocation) if invocation else None
    if found is None:
        st.info("`dbt source freshness` says how fresh sources are; its results come with its end.")
        return
    if not found:
        st.caption("No source has a freshness to check: set `freshness` and `loaded_at_field` in its YAML.")
        return
    stale = sum(row.status.is_bad for row in found)
    warned = sum(row.status is NodeStatus.WARN for row in found)
    late = [f"{stale} too old or not to be checked" if stale else "", f"{warned} late" if warned else ""]
    st.caption(listed([count(len(found), "table"), *late]) + ("" if stale or warned else ", all fresh"))
    _table(found)
    for row in found:
        if row.error:
            st.code(f"{row.name}: {row.error}", language=None, wrap_lines=True)


def _table(found: list[Freshness]) -> None:
    styles = [status.style for status in NodeStatus]
    st.dataframe(
        pd.DataFrame(
            {
                "Table": [row.name for row in found],
                "Status": [[row.status.style.label] for row in found],
                "Newest row": pd.Series([row.loaded_at for row in found], dtype="datetime64[ns, UTC]"),
                "Age when checked": [duration(row.age_seconds) for row in found],
                "Late after": [row.warn_after for row in found],
                "Too old after": [row.error_after for row in found],
            }
        ),
        hide_index=True,
        placeholder="",
        column_config={
            "Status": st.column_config.MultiselectColumn(
                options=[style.label for style in styles], color=[style.colour for style in styles], width=120
            ),
            "Newest row": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss z", width=190),
        },
        alt="Freshness of each source table",
    )
