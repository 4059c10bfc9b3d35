"""All projects: what runs them and when, how far they are, how they ran last."""

import streamlit as st

from models.project import StepState
from services import projects
from services.projects import Summary
from services.ui import shell
from services.ui.project.project_row import project_headings, project_row
from services.ui.words import plain

PAGE_SIZE = 20

shell.require()

title, button = st.columns([3, 1], vertical_alignment="center")
title.title("Projects", anchor=False)
with button.container(horizontal_alignment="right"):
    if st.button("New project", type="primary", icon=":material/add:"):
        st.switch_page("pages/new_project.py")


def farewell() -> None:
    """Say once that a project was deleted."""
    if "deleted" in st.query_params:
        deleted = st.query_params.pop("deleted")
        st.toast(f"Project {plain(deleted)} was deleted.", icon=":material/delete:")


def is_live(found: list[Summary]) -> bool:
    """Whether steps are running."""
    return any(summary.step.state is StepState.RUNNING for summary in found)


def table(search: str, *, was_live: bool) -> None:
    """Draw the list; it follows steps as long as some are running."""
    found = projects.summaries(search)
    if was_live and not is_live(found):
        st.rerun()
    if not found:
        empty(search)
        return
    pages = -(-len(found) // PAGE_SIZE)
    page = st.pagination(pages, key="page", bind="query-params") if pages > 1 else 1
    project_headings()
    for summary in found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]:
        project_row(summary)


def empty(search: str) -> None:
    """Draw what to do when nothing is listed."""
    if search:
        st.info(f"No project has {plain(search)} in its name, description or owner.", icon=":material/search_off:")
        return
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown("## :material/deployed_code: No project yet", width="content")
        st.markdown("Start from a template, a folder or a git repository: it takes about a minute.", width="content")
        if st.button("Create the first project", icon=":material/add:"):
            st.switch_page("pages/new_project.py")


farewell()
search = st.text_input(
    "Search",
    key="q",
    bind="query-params",
    type="search",
    live="300ms",
    placeholder="Search by name, description or owner",
    label_visibility="collapsed",
)
live = is_live(projects.summaries(search or ""))
st.fragment(table, run_every="2s" if live else None)(search or "", was_live=live)
