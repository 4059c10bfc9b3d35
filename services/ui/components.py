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
    script = "\n".join(_short(each) for each in scripts)
    return st.components.v2.component(f"pilothouse_{name}", html=html, css=_short(css) if css else None, js=script)


def _short(path: Path) -> str:
    """A file without indentation and lines that are comments: it goes through the socket with each visit."""
    lines = (line.strip() for line in path.read_text().splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
