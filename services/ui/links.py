"""Addresses of the console's pages as the reader's browser knows them, to hand on to somebody else."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import streamlit as st

from services.settings import ROOT, settings

Query = Mapping[str, str | Sequence[str]]


def address(page: str, query: Query) -> str:
    """The whole address of a page; a list in the query becomes one part for each of its words."""
    return f"{_base()}/{page}" + (f"?{urlencode(query, doseq=True)}" if query else "")


def _base() -> str:
    """Where the console is for the reader's browser. What Streamlit tells may end with the open page's name."""
    told = (st.context.url or settings().console_url).rstrip("/")
    rest, _, last = told.rpartition("/")
    return rest if (ROOT / "pages" / f"{last}.py").exists() else told


def show_link(title: str, page: str, query: Query) -> None:
    """Open a dialog with the address in a box that copies at a click."""
    st.dialog(title, icon=":material/link:")(_link)(address(page, query))


def _link(link: str) -> None:
    st.code(link, language=None, wrap_lines=True)
    st.caption("The button in the box copies it. Whoever may sign in here can open it.")
