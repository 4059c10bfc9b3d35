"""dbt's own documentation site of a project, fetched when asked for and shown in the page."""

import html

import streamlit as st

from models.project import Project
from services.connections import dbt_api
from services.ui import errors

HEIGHT = 760


def docs(project: Project) -> None:
    """Draw the button that fetches the site, and the site once it came. The browser never talks to the dbt API."""
    st.caption("dbt's own site, as of the newest parse or run. Columns and sizes come with `dbt docs generate`.")
    buttons = st.container(horizontal=True)
    if buttons.button("Show the documentation", icon=":material/menu_book:"):
        with errors.guarded(), st.spinner("Fetching the documentation…"):
            st.session_state["docs"] = (project.name, dbt_api().docs_site(project.name))
    name, site = st.session_state.get("docs", (None, ""))
    if name == project.name:
        file = f"{project.name}_docs.html"
        buttons.download_button("Download as one file", site, file, "text/html", icon=":material/download:")
        st.iframe(framed(site), height=HEIGHT)


def framed(site: str) -> str:
    """The site in a frame without an origin: a script in some description reaches neither console nor session."""
    style = f"border:0;width:100%;height:{HEIGHT - 20}px"
    return f'<iframe sandbox="allow-scripts allow-popups" style="{style}" srcdoc="{html.escape(site)}"></iframe>'
