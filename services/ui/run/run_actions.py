"""What can be done with a run: cancel, retry from failure, run again, launch again with changes, open in Airflow."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import uuid4

import streamlit as st

from models.run import Run
from models.run_state import RunState
from services.errors import ConfigurationError
from services.runs import orders
from services.ui import errors
from services.ui.shell import current_user
from services.ui.words import count, plain


def run_actions(run: Run) -> None:
    """Draw the buttons that fit the run's state."""
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small"):
        if not run.state.is_terminal:
            _cancel_button(run)
        else:
            _repeat_buttons(run)
        with suppress(ConfigurationError):
            st.link_button("Open in Airflow", orders.airflow_link(run), icon=":material/open_in_new:")


def _cancel_button(run: Run) -> None:
    asked = run.cancel_requested_at is not None
    hint = "A cancel was asked; dbt is being stopped." if asked else "Stops dbt gracefully."
    if st.button("Cancel run", icon=":material/cancel:", disabled=asked, help=hint, key="cancel"):
        confirm_cancel(run)


def _repeat_buttons(run: Run) -> None:
    unfinished = run.state in (RunState.FAILED, RunState.CANCELLED)
    if unfinished and st.button(
        "Retry from failure",
        type="primary",
        icon=":material/replay:",
        key="retry",
        help="A new run of only the nodes that failed, were skipped, or never finished.",
    ):
        run_again(run, only_unfinished=True)
    if st.button("Run again", icon=":material/play_arrow:", key="again", help="A new run with exactly the same conf."):
        run_again(run, only_unfinished=False)
    if st.button(
        "Change and launch",
        icon=":material/tune:",
        key="change",
        help="Opens the launch page, filled in with this run.",
    ):
        st.switch_page("pages/launch.py", query_params={"from_run": str(run.id)})


def run_again(run: Run, *, only_unfinished: bool) -> None:
    """Launch once per visit of this run's page and button, however often it is clicked."""
    assert run.id is not None
    name = f"again_key_{run.id}_{only_unfinished}"
    launch_key = st.session_state.setdefault(name, uuid4().hex)
    with errors.guarded():
        new = orders.retry(run.id, by=current_user(), launch_key=launch_key, only_unfinished=only_unfinished)
        del st.session_state[name]
        st.switch_page("pages/run.py", query_params={"run_id": str(new.id)})


def confirm_cancel(*chosen: Run) -> None:
    """Ask in a dialog, naming the runs and what is done of each; cancel them on a yes."""
    title = "Cancel this run?" if len(chosen) == 1 else f"Cancel {len(chosen)} runs?"
    st.dialog(title, icon=":material/cancel:")(_ask_to_cancel)(chosen)


def _ask_to_cancel(chosen: Sequence[Run]) -> None:
    for run in chosen:
        st.markdown(f"**Run {run.id} of {plain(run.project)}**: {_so_far(run)}")
    st.markdown("dbt gets an interrupt: it stops its queries and ends. You can retry what is left later.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it running" if len(chosen) == 1 else "Keep them running", key="keep"):
            st.rerun()
        label = "Cancel run" if len(chosen) == 1 else "Cancel runs"
        if st.button(label, type="primary", key="confirm_cancel"):
            with errors.guarded():
                for run in chosen:
                    orders.cancel(run.id or 0, by=current_user())
                st.rerun()


def _so_far(run: Run) -> str:
    done = run.nodes_ok + run.nodes_warn + run.nodes_error + run.nodes_skipped
    if not run.nodes_total:
        return "no node has finished yet."
    return f"{done:,} of {count(run.nodes_total, 'node')} are done. What they wrote stays in the warehouse."
