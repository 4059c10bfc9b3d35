"""The history: figures and trends, and runs of all projects, filtered, a page at a time."""

import streamlit as st

from services import history
from services.ui import shell
from services.ui.run_figures import run_figures
from services.ui.run_filters import clear_filters, is_filtered, presets, run_filters
from services.ui.run_table import csv_button, run_table
from services.ui.run_trends import run_trends
from services.ui.stale import stale_notice
from services.ui.words import count

PAGE_SIZE = 50

shell.require()

known_projects, people = history.known_projects(), history.known_people()
title, action = st.columns([1, 3], vertical_alignment="center")
title.title("Runs", anchor=False)
with action.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
    presets(shell.current_user(), people)
    if st.button("Launch", type="primary", icon=":material/rocket_launch:"):
        st.switch_page("pages/launch.py")

chosen = run_filters(known_projects, people)
first = history.list_runs(chosen, page=1, page_size=PAGE_SIZE)
live = any(not run.state.is_terminal for run in first.runs)


def nothing_to_show() -> None:
    """Say why the table is empty, and the way on."""
    if is_filtered():
        st.info("No run matches these filters.", icon=":material/filter_alt:")
        st.button("Show all runs", on_click=clear_filters)
    else:
        st.info("Nothing has run yet. Launch a project, or wait for its schedule.", icon=":material/history:")
        st.page_link("pages/launch.py", label="Launch a run", icon=":material/rocket_launch:")


@st.fragment(run_every="3s" if live else None)
def table() -> None:
    """Draw one page of runs, again and again while one of them lives."""
    stale_notice()
    pages = max(1, -(-first.total // PAGE_SIZE))
    summary, pager = st.columns(2, vertical_alignment="center")
    summary.caption(count(first.total, "run") + (", refreshed every 3 seconds" if live else ""))
    with pager.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        csv_button(chosen)
        page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    found = history.list_runs(chosen, page=page, page_size=PAGE_SIZE)
    run_table(found.runs, key="runs_table")
    if live and page == 1 and all(run.state.is_terminal for run in found.runs):
        st.rerun()


if first.total:
    run_figures(chosen, window=st.session_state["when"])
    table_tab, trends_tab = st.tabs(["Runs", "Trends"], key="tab", bind="query-params", on_change="rerun")
    if table_tab.open:
        with table_tab:
            table()
    if trends_tab.open:
        with trends_tab:
            run_trends(chosen)
else:
    nothing_to_show()
