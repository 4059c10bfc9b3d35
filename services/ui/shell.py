"""The frame around every page: page config, sign-in, navigation, and the guard against Streamlit's pages/ discovery.

Until `st.navigation` has run once in a server process, Streamlit answers the first deep link by running the page's
file alone, without app.py and so without sign-in. `require` closes that hole: every page calls it first.
"""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from services import database
from services.settings import ROOT, settings

LOGO = Path(__file__).parent / "logo.svg"
EMBLEM = Path(__file__).parent / "emblem.svg"
START = "overview"
"""The page at the console's own address."""


def enter() -> StreamlitPage:
    """Draw the frame and return the page to run. Called by app.py only."""
    st.session_state["shell_ready"] = True
    st.set_page_config(page_title="Pilothouse", page_icon=EMBLEM, layout="wide")
    _require_sign_in()
    _prepare_database(settings().database_url)
    st.logo(LOGO, icon_image=EMBLEM, size="large")
    page = navigation()
    _who()
    return page


def require() -> None:
    """First line of every page: hand the request to app.py when the page's file was run alone."""
    if not st.session_state.get("shell_ready"):
        navigation()
        st.rerun()


def current_user() -> str:
    """Who acts: the signed-in person, or the user of the settings where no single sign-on is configured."""
    if not _has_sign_in():
        return settings().user
    return str(st.user.get("email") or st.user.get("name") or st.user.get("sub"))


def navigation() -> StreamlitPage:
    """The only list of pages. A page's address is its file's stem, which the guard's rerun relies on."""
    pages = [
        _page(START, "Overview", "monitoring", default=True),
        _page("launch", "Launch", "rocket_launch"),
        _page("runs", "Runs", "history"),
        _page("run", "Run", "play_circle", hidden=True),
        _page("compare", "Compare runs", "compare_arrows", hidden=True),
        _page("projects", "Projects", "deployed_code"),
        _page("project", "Project", "deployed_code", hidden=True),
        _page("new_project", "New project", "add_circle", hidden=True),
        _page("clusters", "Clusters", "hub"),
        _page("new_cluster", "New cluster", "add_circle", hidden=True),
        _page("capacity", "Capacity", "speed"),
        _page("system", "System", "settings_ethernet"),
    ]
    return st.navigation(pages)


def _page(name: str, title: str, icon: str, *, default: bool = False, hidden: bool = False) -> StreamlitPage:
    return st.Page(
        ROOT / "pages" / f"{name}.py",
        title=title,
        icon=f":material/{icon}:",
        default=default,
        visibility="hidden" if hidden else "visible",
    )


def _require_sign_in() -> None:
    if not _has_sign_in() or st.user.is_logged_in:
        return
    with st.container(horizontal_alignment="center"):
        st.space("large")
        st.image(LOGO, width=240)
        st.caption("Sign in to see projects and runs.", width="content")
        st.button("Sign in", icon=":material/login:", type="primary", on_click=st.login)
    st.stop()


def _has_sign_in() -> bool:
    """Whether `[auth]` is in Streamlit's secrets, as st.login() needs it."""
    return st.secrets.load_if_toml_exists() and "auth" in st.secrets


def _who() -> None:
    with st.sidebar.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/person: {current_user()}", width="stretch")
        if _has_sign_in():
            st.button("Sign out", type="tertiary", icon=":material/logout:", on_click=st.logout)


@st.cache_resource(show_spinner=False)
def _prepare_database(url: str) -> None:  # noqa: ARG001  the key of the cache
    """Bring the schema up to date once a process, so that the console also starts on its own."""
    database.migrate()
