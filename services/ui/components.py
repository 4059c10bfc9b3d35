"""Components of our own (Streamlit's v2): HTML, CSS and scripts from files, put together into one.

A component travels through the socket with each visit and each refresh, so what it brings of script is one line that
fetches the rest: over HTTP, once for each version of it.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

JS = Path(__file__).parent / "js"
SHARED = JS / "shared.js"
"""Goes before the scripts of each component that wants it."""
_EXPORT = """
export default ({ data, parentElement, setTriggerValue }) =>
%s(parentElement.querySelector("section"), data, (told) => setTriggerValue("clicked", told));
"""
_FETCH = """
const { default: draw } = await import(new URL("scripts/%s", window.__streamlit.MAIN_PAGE_BASE_URL));
export default draw;
"""
_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable"}
"""A script's name holds a hash of it: another version is another name."""

_scripts: dict[str, str] = {}


def component(name: str, *, scripts: Sequence[Path], css: Sequence[Path] = (), html: str = "", draws: str = "") -> Any:
    """Register a component; the last script exports what Streamlit calls.

    Or none does, and `draws` names one of their functions: it is called with a section whose class is the component's
    name, the data, and a function that tells Python of a click.
    """
    script = "\n".join(_short(each) for each in scripts) + (_EXPORT % draws if draws else "")
    style = re.sub(r"\s*([{;,])\s*|(?<=\w)(:) ", r"\1\2", "\n".join(_short(each) for each in css))
    html = html or f'<section class="{name}"></section>'
    # Inline css and js must contain a line break, or they are taken for paths.
    return st.components.v2.component(
        f"pilothouse_{name}", html=html, css=style or None, js=_FETCH % _kept(name, script)
    )


def script_routes(base: str = "") -> list[Route]:
    """The route for the scripts, below the path that the console is served at. Open to all: no data is in them."""
    prefix = f"/{base.strip('/')}".rstrip("/")
    return [Route(f"{prefix}/scripts/{{name}}", _serve)]


def _kept(name: str, script: str) -> str:
    """The name by which a script is fetched."""
    versioned = f"{name}.{hashlib.sha256(script.encode()).hexdigest()[:16]}.js"
    _scripts[versioned] = script
    return versioned


def _serve(request: Request) -> Response:
    script = _scripts.get(request.path_params["name"])
    if script is None:
        raise HTTPException(404)
    return Response(script, media_type="text/javascript", headers=_HEADERS)


def _short(path: Path) -> str:
    """A file without indentation and lines that are comments: it goes through the socket with each visit."""
    lines = (line.strip() for line in path.read_text().splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
