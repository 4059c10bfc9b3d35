"""The history: runs of all projects, newest first, filtered, a page at a time."""

import streamlit as st

from services import history
from services.ui import shell
from services.ui.run_filters import clear_filters, is_filtered, run_filters
from services.ui.run_table import run_table
from services.ui.stale import stale_notice
from services.ui.words import count

PAGE_SIZE = 50

shell.require()

title, action = st.columns([3, 1], vertical_alignment="center")
title.title("Runs", anchor=False)
with action.container(horizontal=True, horizontal_alignment="right"):
    if st.button("Launch", type="primary", icon=":material/rocket_launch:"):
        st.switch_page("pages/launch.py")

known_projects, people = history.known_projects(), history.known_people()
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
    with pager.container(horizontal_alignment="right"):
        page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    found = history.list_runs(chosen, page=page, page_size=PAGE_SIZE)
    run_table(found.runs, key="runs_table")
    if live and page == 1 and all(run.state.is_terminal for run in found.runs):
        st.rerun()


if first.total:
    table()
else:
    nothing_to_show()
