"""One run: its state and progress while it lives, what failed, its nodes, tests, log, configuration and artifacts."""

from collections.abc import Callable

import streamlit as st

from contracts.run_conf import DbtCommand
from models.run import Invocation, Run
from services.errors import NotFound
from services.run.freshness import FILE as SOURCES
from services.runs import history
from services.ui import shell
from services.ui.run.node_card import node_card
from services.ui.run.node_failures import failures
from services.ui.run.node_table import node_table
from services.ui.run.run_actions import run_actions
from services.ui.run.run_artifacts import run_artifacts
from services.ui.run.run_details import configuration
from services.ui.run.run_header import run_header
from services.ui.run.run_lineage import run_lineage
from services.ui.run.run_log import run_log
from services.ui.run.run_pod import run_pod
from services.ui.run.run_sources import run_sources
from services.ui.run.run_tests import run_tests
from services.ui.run.run_timeline import run_timeline
from services.ui.stale import stale_notice
from services.ui.words import plain

WITH_NODE = ("Nodes", "Timeline", "Lineage", "Tests")
"""The tabs that show the card of the node that the URL names."""

shell.require()


def find_run() -> Run:
    """The run that the URL names, or a page that helps on."""
    wanted = st.query_params.get("run_id", "")
    try:
        if not wanted.isdigit() or len(wanted) > 18:
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


def tabs_of(run: Run, invocations: list[Invocation]) -> dict[str, Callable[[], None]]:
    """The tabs that this run has, each with what draws it. The last try's nodes count."""
    last = invocations[-1] if invocations else None
    last_id = (last.id or 0) if last else 0
    found: dict[str, Callable[[], None]] = {
        "Nodes": lambda: node_table(run, last_id),
        "Timeline": lambda: run_timeline(run, last),
        "Lineage": lambda: run_lineage(run, last_id),
        "Tests": lambda: run_tests(run, last_id),
        "Sources": lambda: run_sources(last),
        "Log": lambda: run_log(run, invocations),
        "Configuration": lambda: configuration(run, invocations),
        "Artifacts": lambda: run_artifacts(run, invocations),
        "Pod": lambda: run_pod(run, invocations),
    }
    left_out = set() if checks_sources(run, last) else {"Sources"}
    left_out |= set() if run.operator.runs_in_pods else {"Pod"}
    return {name: draw for name, draw in found.items() if name not in left_out}


def checks_sources(run: Run, last: Invocation | None) -> bool:
    """Whether the run looked at the freshness of sources."""
    kept = [artifact["name"] for artifact in last.artifacts] if last else []
    return run.command.startswith(DbtCommand.SOURCE_FRESHNESS) or SOURCES in kept


def draw_tabs(run: Run, invocations: list[Invocation]) -> None:
    """Draw the open tab; the closed ones cost nothing."""
    tabs = tabs_of(run, invocations)
    for name, tab in zip(tabs, st.tabs(list(tabs), key="tab", bind="query-params", on_change="rerun"), strict=True):
        if tab.open:
            with tab:
                node = st.query_params.get("node") if name in WITH_NODE else None
                if node and invocations:
                    node_card(run, invocations[-1].id or 0, node)
                tabs[name]()


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
    if invocations:
        failures(run, invocations[-1].id or 0, open_first=st.query_params.get("tab", "Nodes") == "Nodes")
    draw_tabs(run, invocations)


watch(int(st.query_params["run_id"]), was=(live, run.state))
