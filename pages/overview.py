"""The start page: are the systems well, what runs now, what failed last, and how each project has been doing."""

from dataclasses import replace

import streamlit as st

from models.run_state import RunState, StateStyle
from services import health
from services.runs import history
from services.runs.history import LIVE, RunFilter
from services.ui import shell
from services.ui.badges import badge
from services.ui.on_return import news_on_return
from services.ui.runs.run_strips import run_strips
from services.ui.runs.run_table import run_table
from services.ui.stale import SYSTEM_WORDS
from services.ui.words import ago, listed, plain, short

STRIPS, STRIP_RUNS = 20, 20
UP = StateStyle("up", ":material/check_circle:", "✔", "green", is_terminal=False)
DOWN = StateStyle("down", ":material/error:", "✖", "red", is_terminal=False)

shell.require()

title, buttons = st.columns([2, 3], vertical_alignment="center")
title.title("Overview", anchor=False)
with buttons.container(horizontal=True, horizontal_alignment="right"):
    if st.button("New project", icon=":material/add:"):
        st.switch_page("pages/new_project.py")
    if st.button("Launch", type="primary", icon=":material/rocket_launch:"):
        st.switch_page("pages/launch.py")


def systems() -> None:
    """Draw a badge for each outside system with the age of its last answer."""
    with st.container(horizontal=True):
        for row in health.systems():
            style = UP if row.reachable else DOWN
            label = f"{SYSTEM_WORDS[row.system]} {style.word}"
            about = listed([f"Checked {ago(row.checked_at)}", plain(row.message)])
            badge(replace(style, word=label), help=about)


def latest_failures() -> None:
    """Draw the last failed runs, each with its reason."""
    failed = history.list_runs(RunFilter(states=[RunState.FAILED]), page=1, page_size=5).runs
    st.header("Latest failures", anchor=False)
    if not failed:
        st.caption("No run has failed.")
    for run in failed:
        with st.container(border=True, gap="xxsmall"):
            st.page_link(
                "pages/run.py",
                label=f"**Run {run.id} · {plain(run.project)}** · {ago(run.finished_at or run.created_at)}",
                icon=run.state.style.icon,
                query_params={"run_id": str(run.id)},
            )
            st.caption(plain(short(run.message)) or "No reason was given.")


def project_strips() -> None:
    """Draw each project's last runs as a strip, the newest at the right."""
    st.header("Projects", anchor=False)
    names = history.recent_projects(most=STRIPS)
    if not names:
        st.info("There is no project yet.", icon=":material/add_circle:")
        return
    run_strips(history.last_runs(names, most=STRIP_RUNS), key="strips")
    if len(names) == STRIPS:
        st.page_link("pages/projects.py", label="All projects", icon=":material/deployed_code:")


live = history.count_runs(RunFilter(states=LIVE)) > 0


@st.fragment(run_every="5s" if live else None)
def dashboard() -> None:
    """Draw everything that changes by itself: while a run lives, and when the reader comes back to the page."""
    running = history.list_runs(RunFilter(states=LIVE), page=1, page_size=10).runs
    if bool(running) != live:
        st.rerun()
    systems()
    if running:
        st.header("Running now", anchor=False)
        run_table(running, key="running_now")
    left, right = st.columns(2, gap="large")
    with left:
        project_strips()
    with right:
        latest_failures()
    news_on_return()


dashboard()
