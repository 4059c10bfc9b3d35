"""The start page: are the systems well, what runs now, what failed last, and how each project has been doing."""

from dataclasses import replace

import streamlit as st

from models.run import Run
from models.run_state import RunState, StateStyle
from services import health, history, projects
from services.history import RunFilter
from services.ui import shell
from services.ui.badges import badge
from services.ui.run_table import run_table
from services.ui.stale import SYSTEM_WORDS
from services.ui.words import ago, between, duration, listed, plain, short

STRIP = 15
UP = StateStyle("up", ":material/check_circle:", "✔", "green", is_terminal=False)
DOWN = StateStyle("down", ":material/error:", "✖", "red", is_terminal=False)
LIVE = [state for state in RunState if not state.is_terminal]

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
    st.subheader("Latest failures", anchor=False)
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
    """Draw each project's last runs as a strip of glyphs, the newest at the right."""
    st.subheader("Projects", anchor=False)
    found = projects.list_projects()
    if not found:
        st.info("There is no project yet.", icon=":material/add_circle:")
    for project in found:
        last = history.list_runs(RunFilter(projects=[project.name]), page=1, page_size=STRIP).runs
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.page_link(
                    "pages/project.py", label=f"**{plain(project.name)}**", query_params={"name": project.name}
                )
                st.space("stretch")
                st.page_link(
                    "pages/launch.py",
                    label="Launch",
                    icon=":material/rocket_launch:",
                    query_params={"project": project.name},
                )
            st.markdown(_strip(last), help=_strip_help(last))


def _strip(last: list[Run]) -> str:
    if not last:
        return ":gray[never ran]"
    glyphs = " ".join(f":{run.state.style.colour}[{run.state.style.glyph}]" for run in reversed(last))
    return f"{glyphs} :small[:gray[{ago(last[0].created_at)}]]"


def _strip_help(last: list[Run]) -> str | None:
    if not last:
        return None
    newest = last[0]
    return f"Last {len(last)} runs, the newest at the right. Run {newest.id}: {newest.state.style.word.lower()}, " + (
        f"ran {duration(between(newest.started_at, newest.finished_at))}"
    )


@st.fragment(run_every="5s")
def dashboard() -> None:
    """Draw everything that changes by itself."""
    systems()
    running = history.list_runs(RunFilter(states=LIVE), page=1, page_size=10).runs
    if running:
        st.subheader("Running now", anchor=False)
        run_table(running, key="running_now")
    left, right = st.columns(2, gap="large")
    with left:
        project_strips()
    with right:
        latest_failures()


dashboard()
