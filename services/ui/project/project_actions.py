"""What can be done with a project: launch, edit, duplicate, pause, delete."""

import streamlit as st

from models.project import Project
from services import projects
from services.rights import WHOM_TO_ASK, WHY_NO_RUN
from services.ui import errors
from services.ui.shell import current_user
from services.ui.words import count, plain


def project_actions(project: Project, *, is_ready: bool) -> None:
    """Draw the buttons; those that cannot work now say why."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Edit", icon=":material/edit:"):
            st.switch_page("pages/new_project.py", query_params={"project": project.name})
        if st.button("Duplicate", icon=":material/content_copy:"):
            st.switch_page("pages/new_project.py", query_params={"copy": project.name})
        pause_button(project)
        if st.button("Delete", icon=":material/delete:"):
            confirm_delete(project)
        why = "It is paused: resume it first." if project.paused else "Finish the steps below first."
        off = project.paused or not is_ready
        if st.button(
            "Launch", type="primary", icon=":material/rocket_launch:", disabled=off, help=why if off else None
        ):
            st.switch_page("pages/launch.py", query_params={"project": project.name})


def pause_button(project: Project) -> None:
    """Draw the switch between paused and scheduled."""
    word, icon = ("Resume", ":material/play_arrow:") if project.paused else ("Pause", ":material/pause:")
    may_resume = not project.paused or projects.may_resume(project, by=current_user())
    told = None if project.paused else "Airflow starts no run of a paused project. Runs under way go on."
    why_not = None if may_resume else f"{WHY_NO_RUN} {WHOM_TO_ASK}"
    if st.button(word, icon=icon, disabled=not may_resume, help=why_not or told):
        with errors.guarded():
            projects.set_paused(project.name, not project.paused, by=current_user())
            st.rerun()


@st.dialog("Delete project", width="medium", icon=":material/delete:")
def confirm_delete(project: Project) -> None:
    """Ask, and say what goes and what stays."""
    st.markdown(f"**{plain(project.name)}** will be deleted. This cannot be undone.")
    running, past = projects.active_runs(project.name), projects.past_runs(project.name)
    goes = [
        "its DAG in Airflow, with Airflow's own record of its runs",
        "its entry in the list of projects that Airflow reads",
        "the files that the dbt API made for it" + _of_source(project),
        "its settings and steps here",
    ]
    stays = ["what it built in the warehouse"]
    if kept := {"folder": "the folder", "git": "the git repository"}.get(project.source["kind"]):
        stays.append(kept)
    with_history = past > 0 and st.checkbox(f"Delete its history too ({count(past, 'run')}, with logs and results)")
    if past:
        (goes if with_history else stays).append(f"{count(past, 'run')} in the history here, with logs and results")
    left, right = st.columns(2)
    left.markdown("**Goes**\n" + "\n".join(f"- {line}" for line in goes))
    right.markdown("**Stays**\n" + "\n".join(f"- {line}" for line in stays))
    if running:
        st.warning(f"{count(running, 'run')} under way: wait for the end or cancel first.", icon=":material/warning:")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it", type="tertiary"):
            st.rerun()
        clicked = st.button("Delete project", type="primary", icon=":material/delete:", disabled=running > 0)
    if clicked:
        with errors.guarded():
            projects.delete(project.name, with_history=with_history)
            st.switch_page("pages/projects.py", query_params={"deleted": project.name})


def _of_source(project: Project) -> str:
    return ", the project's SQL among them" if project.source["kind"] in ("template", "upload") else ""
