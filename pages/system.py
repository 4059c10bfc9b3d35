"""The systems behind the console: do they answer, in which version, and where the settings come from."""

import streamlit as st

from models.system import SystemHealth
from services import configuration, health
from services.settings import settings
from services.ui import shell
from services.ui.stale import SYSTEM_WORDS
from services.ui.words import ago, plain

TOLD = {
    health.AIRFLOW: "Schedules and starts every run.",
    health.DBT_API: "Keeps the projects and runs dbt.",
    health.COLLECTOR: "Follows the runs and fills what the pages show.",
}

shell.require()
st.title("System", anchor=False)


def card(row: SystemHealth) -> None:
    """Draw one system."""
    with st.container(border=True, height="stretch", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{SYSTEM_WORDS[row.system]}**", width="content")
            if row.reachable:
                st.badge("Up", icon=":material/check_circle:", color="green")
            else:
                st.badge("Down", icon=":material/error:", color="red")
        st.caption(TOLD[row.system])
        address = {health.AIRFLOW: settings().airflow_url, health.DBT_API: settings().dbt_api_url}.get(row.system)
        shown = f"`{configuration.without_password(address)}`" if address else "A process beside the console"
        st.markdown(shown)
        if row.version:
            st.markdown(f"Version {plain(row.version)}")
        checked = ago(row.checked_at) if row.last_good_at or row.message != "Not heard of yet." else "never"
        good = "" if row.reachable else f" · last good {ago(row.last_good_at)}"
        st.caption(f"Checked {checked}{good}")
        if row.message:
            st.markdown(plain(row.message))


@st.fragment(run_every="5s")
def systems() -> None:
    """Draw all systems, again every few seconds."""
    rows = health.systems()
    for column, row in zip(st.columns(len(rows)), rows, strict=True):
        with column:
            card(row)
    if not rows[-1].reachable:
        st.warning(
            "The collector checks the other systems. While it is down, what stands here may be old.",
            icon=":material/sync_problem:",
        )


systems()
st.header("Settings", anchor=False)
st.caption(
    "Read when the console starts. An environment variable goes before a file in the secrets folder, "
    "and that before the default. Secrets are never shown."
)
st.dataframe(
    [
        {"Setting": each.variable, "Value": each.value, "From": each.origin, "What it is": each.description}
        for each in configuration.shown_settings()
    ],
    hide_index=True,
    height="content",
    alt="The console's settings and where each comes from",
)
