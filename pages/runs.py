"""The history: figures, projects and their last runs, and runs of all projects, filtered, a page at a time."""

import streamlit as st

from services import health
from services.runs import exporting, history
from services.ui import shell
from services.ui.on_return import news_on_return
from services.ui.runs import no_runs
from services.ui.runs.run_figures import run_figures
from services.ui.runs.run_filters import choose, is_filtered, presets, run_filters, window
from services.ui.runs.run_strips import run_strips
from services.ui.runs.run_table import run_table
from services.ui.runs.run_trends import node_trends, operator_trends, run_trends
from services.ui.runs.view_menu import view_from_address, view_menu
from services.ui.stale import stale_notice
from services.ui.words import count

PAGE_SIZE = 40
TABS = ("Runs", "Trends", "Nodes", "Operators")
STRIPS, STRIP_RUNS = 9, 20

shell.require()
view_from_address()

known_projects, people = history.known_projects(), history.known_people()
title, action = st.columns([1, 4], vertical_alignment="center")
title.title("Runs", anchor=False)
chosen = run_filters(known_projects, people)
with action.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
    presets(shell.current_user(), people)
    view_menu()  # after the filters: it offers to save them
    if st.button("Launch", type="primary", icon=":material/rocket_launch:"):
        st.switch_page("pages/launch.py")

found = history.list_runs(chosen, page=1, page_size=1)


def nothing_to_show() -> None:
    """Say why the table is empty, and the way on."""
    if is_filtered():
        no_runs.nothing_fits()
    elif health.of_system(health.COLLECTOR).reachable:
        no_runs.never_ran()
    else:
        no_runs.nobody_tells()


def strips() -> None:
    """Draw the last runs of each project that is chosen, those that ran last when none is."""
    names = chosen.projects or history.recent_projects(most=STRIPS)
    run_strips(history.last_runs(names[:STRIPS], most=STRIP_RUNS), key="strips", on_project=only_project)


def only_project(name: str) -> None:
    """Show one project's runs; for the click on its name."""
    choose({"project": [name]})


def csv_button() -> None:
    """Draw the download of all runs that fit, not only of those on the page."""
    st.download_button(
        "CSV",
        data=lambda: exporting.runs_as_csv(chosen),
        file_name="runs.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
        help=f"All runs that fit, the newest {exporting.MOST_ROWS:,} at most, with exact times",
    )


@st.fragment(run_every="3s" if found.live else None)
def table() -> None:
    """Draw one page of runs, again and again while one of them lives."""
    stale_notice()
    pages = max(1, -(-found.total // PAGE_SIZE))
    summary, pager = st.columns(2, vertical_alignment="center")
    with pager.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        csv_button()
        page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    now = history.list_runs(chosen, page=page, page_size=PAGE_SIZE)
    live = f", {now.live:,} under way, refreshed every 3 seconds" if now.live else ""
    summary.caption(count(now.total, "run") + live)
    run_table(now.runs, key="runs_table")
    if found.live and not now.live:
        st.rerun()


def draw_tab() -> None:
    """Draw the open tab; the closed ones cost nothing."""
    runs_tab, *others = st.tabs(TABS, key="tab", bind="query-params", on_change="rerun")
    if runs_tab.open:
        with runs_tab:
            table()
    for tab, draw in zip(others, (run_trends, node_trends, operator_trends), strict=True):
        if tab.open:
            with tab:
                stale_notice()
                draw(chosen)


if found.total:
    run_figures(chosen, window=window(st.session_state))
    strips()
    draw_tab()
    news_on_return()
else:
    nothing_to_show()
