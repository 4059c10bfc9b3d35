"""One run: its state and progress while it lives, what failed, its node results, log, configuration and artifacts."""

import streamlit as st

from models.run import Invocation, Run
from services import history, run_nodes
from services.errors import NotFound
from services.ui import shell
from services.ui.node_failures import failures
from services.ui.node_table import node_table
from services.ui.run_actions import run_actions
from services.ui.run_details import artifacts, configuration
from services.ui.run_header import run_header
from services.ui.run_log import run_log
from services.ui.run_pod import run_pod
from services.ui.run_timeline import run_timeline
from services.ui.stale import stale_notice
from services.ui.words import plain

TABS = ("Nodes", "Timeline", "Log", "Configuration", "Artifacts")

shell.require()


def find_run() -> Run:
    """The run that the URL names, or a page that helps on."""
    wanted = st.query_params.get("run_id", "")
    try:
        if not wanted.isdigit():
            raise NotFound("This address names no run." if not wanted else f"There is no run {wanted!r}.")
        return history.get_run(int(wanted))
    except NotFound as error:
        st.title("Run not found", anchor=False)
        st.error(plain(error.message), icon=":material/search_off:")
        st.markdown("It may have been deleted with its project, or the link was cut short.")
        st.page_link("pages/runs.py", label="See all runs", icon=":material/history:")
        st.stop()


def is_live(run: Run) -> bool:
    """Whether anything on the page may still change."""
    return not (run.state.is_terminal and run.collected)


run = find_run()
live = is_live(run)

title, actions = st.columns([1, 3], vertical_alignment="center")
title.title(f"Run {run.id}", anchor=False)
with actions:
    run_actions(run)


def last_id(invocations: list[Invocation]) -> int:
    """The last try, whose node results the page shows; 0, which has none, before the first."""
    return (invocations[-1].id or 0) if invocations else 0


def draw_tab(run: Run, invocations: list[Invocation]) -> None:
    """Draw the open tab; the closed ones cost nothing."""
    tabs = (*TABS, "Pod") if run.operator.runs_in_pods else TABS
    nodes_tab, timeline_tab, log_tab, configuration_tab, artifacts_tab, *pod_tab = st.tabs(
        tabs, key="tab", bind="query-params", on_change="rerun"
    )
    for tab in pod_tab:
        if tab.open:
            with tab:
                run_pod(run, invocations)
    if nodes_tab.open:
        with nodes_tab:
            node_table(run, last_id(invocations))
    if timeline_tab.open:
        with timeline_tab:
            run_timeline(run, run_nodes.outline(last_id(invocations)))
    if log_tab.open:
        with log_tab:
            run_log(run, invocations)
    if configuration_tab.open:
        with configuration_tab:
            configuration(run, invocations)
    if artifacts_tab.open:
        with artifacts_tab:
            artifacts(invocations)


@st.fragment(run_every="1.5s" if live else None)
def watch(run_id: int, *, was: tuple[bool, str]) -> None:
    """Draw everything that changes; when the run ends, draw the whole page once more, without the clock."""
    run = history.get_run(run_id)
    if (is_live(run), run.state) != was and (not is_live(run) or run.state.is_terminal):
        st.rerun()
    if is_live(run):
        stale_notice()
    invocations = history.invocations_of(run_id)
    run_header(run, invocations)
    failures(run, last_id(invocations), open_first=st.query_params.get("tab", TABS[0]) == TABS[0])
    draw_tab(run, invocations)


watch(int(st.query_params["run_id"]), was=(live, run.state))
