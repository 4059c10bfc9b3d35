"""Components of our own (Streamlit's v2): a folder's HTML, CSS and scripts, put together into one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

JS = Path(__file__).parent / "js"
SHARED = JS / "shared.js"
"""Goes before the scripts of each component that wants it."""


def component(name: str, *, scripts: Sequence[Path], css: Path | None = None, html: str = "<section></section>") -> Any:
    """Register a component; the last script exports what Streamlit calls."""
    # Inline css and js must contain a line break, or they are taken for paths.
    script = "\n".join(each.read_text() for each in scripts)
    return st.components.v2.component(f"pilothouse_{name}", html=html, css=css.read_text() if css else None, js=script)
