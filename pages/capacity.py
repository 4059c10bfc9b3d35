"""How busy Airflow is: what runs, what waits and for what, its executors, pools and queues."""

import streamlit as st

from services import capacity
from services.ui import shell
from services.ui.capacity_view import draw_capacity, waiting_runs
from services.ui.stale import stale_notice

shell.require()
st.title("Capacity", anchor=False)


@st.fragment(run_every="5s")
def watch() -> None:
    """Draw what the collector last heard, again every few seconds."""
    stale_notice()
    known = capacity.latest()
    if known is None:
        waiting_runs()
        st.info(
            "Nothing is known of Airflow's capacity yet. The collector asks Airflow every few seconds.",
            icon=":material/hourglass_empty:",
        )
        return
    draw_capacity(*known)


watch()
