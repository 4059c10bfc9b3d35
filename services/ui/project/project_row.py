"""One row of the list of projects."""

import streamlit as st

from models.project import StepState
from services import projects, schedules
from services.operators import operator
from services.projects import Summary
from services.ui import errors
from services.ui.badges import STEP_STYLES, STEP_WORDS, badge
from services.ui.shell import current_user
from services.ui.words import ago, plain, short

_WIDTHS = [5, 4, 4, 3, 3]


def project_headings() -> None:
    """Draw what the columns of the list are."""
    titles = ("Project", "Operator and schedule", "Setup", "Last run", "")
    for column, title in zip(st.columns(_WIDTHS), titles, strict=True):
        column.caption(title)


def project_row(summary: Summary) -> None:
    """Draw one project with what runs it and when, how far it is, how it ran last, and what to do with it."""
    project = summary.project
    with st.container(border=True):
        name, how, state, last, actions = st.columns(_WIDTHS, vertical_alignment="center")
        with name.container(gap=None):
            if st.button(f"**{plain(project.name)}**", key=f"open_{project.name}", type="tertiary"):
                st.switch_page("pages/project.py", query_params={"name": project.name})
            st.caption(plain(short(project.description, most=90)) or f"Owned by {plain(project.owner)}")
        with how.container(gap="xxsmall"):
            chosen = operator(project.operator)
            st.markdown(f"{chosen.icon} {chosen.label}")
            st.caption(_when(summary))
        with state.container(gap="xxsmall"):
            _progress(summary)
        with last.container(gap="xxsmall"):
            _last_run(summary)
        with actions:
            _menu(summary)


def _when(summary: Summary) -> str:
    project = summary.project
    words = plain(schedules.in_words(project.schedule))
    is_scheduled = summary.is_ready and not project.paused
    runs = schedules.next_runs(project.schedule, number=1) if is_scheduled else []
    return f"{words}  \nNext: {runs[0]:%a %d %b, %H:%M} UTC" if runs else words


def _progress(summary: Summary) -> None:
    if summary.project.paused:
        st.badge("Paused", icon=":material/pause_circle:", color="gray")
    if summary.is_ready:
        st.badge("Ready", icon=":material/check_circle:", color="green")
        return
    step = summary.step
    if step.state is StepState.FAILED:
        st.badge("Needs attention", icon=":material/error:", color="red")
    else:
        badge(STEP_STYLES[step.state])
    st.caption(
        f"{STEP_WORDS[step.step]}: {plain(short(step.message, most=80))}" if step.message else STEP_WORDS[step.step]
    )


def _last_run(summary: Summary) -> None:
    run = summary.last_run
    if run is None:
        st.caption("Never ran")
        return
    badge(run.state.style)
    if st.button(f"Run {run.id} · {ago(run.finished_at or run.created_at)}", key=f"run_{run.id}", type="tertiary"):
        st.switch_page("pages/run.py", query_params={"run_id": str(run.id)})


def _menu(summary: Summary) -> None:
    project = summary.project
    with st.container(horizontal=True, horizontal_alignment="right", gap="xsmall"):
        if st.button(
            "Launch",
            key=f"launch_{project.name}",
            icon=":material/rocket_launch:",
            disabled=project.paused or not summary.is_ready,
        ):
            st.switch_page("pages/launch.py", query_params={"project": project.name})
        pausing = "Resume" if project.paused else "Pause"
        chosen = st.menu_button("More", ["Edit", "Duplicate", pausing], key=f"more_{project.name}", type="tertiary")
    if chosen == "Edit":
        st.switch_page("pages/new_project.py", query_params={"project": project.name})
    if chosen == "Duplicate":
        st.switch_page("pages/new_project.py", query_params={"copy": project.name})
    if chosen == pausing:
        with errors.guarded():
            projects.set_paused(project.name, not project.paused, by=current_user())
            st.rerun()
