"""Components of our own (Streamlit's v2): HTML, CSS and scripts from files, put together into one."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

JS = Path(__file__).parent / "js"
SHARED = JS / "shared.js"
"""Goes before the scripts of each component that wants it."""
_EXPORT = """
export default ({ data, parentElement, setTriggerValue }) =>
%s(parentElement.querySelector("section"), data, (told) => setTriggerValue("clicked", told));
"""


def component(name: str, *, scripts: Sequence[Path], css: Sequence[Path] = (), html: str = "", draws: str = "") -> Any:
    """Register a component; the last script exports what Streamlit calls.

    Or none does, and `draws` names one of their functions: it is called with a section whose class is the component's
    name, the data, and a function that tells Python of a click.
    """
    # Inline css and js must contain a line break, or they are taken for paths.
    script = "\n".join(_short(each) for each in scripts) + (_EXPORT % draws if draws else "")
    style = re.sub(r"\s*([{;,])\s*|(?<=\w)(:) ", r"\1\2", "\n".join(_short(each) for each in css))
    html = html or f'<section class="{name}"></section>'
    return st.components.v2.component(f"pilothouse_{name}", html=html, css=style or None, js=script)


def _short(path: Path) -> str:
    """A file without indentation and lines that are comments: it goes through the socket with each visit."""
    lines = (line.strip() for line in path.read_text().splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
