"""The HTML page that every address of the console begins with: Streamlit's own, with two things told beforehand.

Where its server is: left alone, it takes the address of a deep link for a folder, asks there first, is refused, waits,
and only then asks at the right place. And which scripts our pages draw with: left alone, it finds out one after the
other while it draws.
"""

import json
import re
from functools import cache
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from services.settings import ROOT
from services.ui.shell import START

DRAWN_WITH = ("BidiComponent", "Button", "DownloadButton", "MenuButton")
"""Streamlit's scripts that are not in its page already; a name that it no longer has is no harm."""

_STATIC = Path(st.__file__).parent / "static"
_IMPORTED = re.compile(r'(?:from|import)"\./([^"]+\.js)"')
_SCRIPT = """<script>
{
  const parts = location.pathname.replace(/\\/+$/, "").split("/"), pages = PAGES;
  if (pages.includes(parts.at(-1))) parts.pop();
  const base = `${location.origin}${parts.join("/")}/`;
  window.__streamlit = { BACKEND_BASE_URL: base, MAIN_PAGE_BASE_URL: base };
}
</script>
"""


def entry_routes(base: str = "") -> list[Route]:
    """A route for each page, below the path that the console is served at."""
    prefix = f"/{base.strip('/')}".rstrip("/")
    entered = [name for name in ("", *_pages()) if name != START]
    return [
        *(Route(f"{prefix}/{name}", _enter) for name in entered),
        *(Route(f"{prefix}/{name}", _to_start) for name in (START, f"{START}/")),
    ]


def _to_start(request: Request) -> RedirectResponse:
    """Streamlit knows its first page at the console's own address only."""
    start = "../" if request.url.path.endswith("/") else "./"
    return RedirectResponse(f"{start}?{request.url.query}" if request.url.query else start)


def _enter(_: Request) -> HTMLResponse:
    return HTMLResponse(_html(), headers={"Cache-Control": "no-cache"})


@cache
def _html() -> str:
    """Streamlit's page with our script before its own, which is a module and so runs after all plain ones."""
    html = (_STATIC / "index.html").read_text()
    links = [f'<link rel="modulepreload" crossorigin href="./static/js/{name}">' for name in _scripts(html)]
    html = html.replace("<head>", "<head>\n" + _SCRIPT.replace("PAGES", json.dumps(_pages())), 1)
    return html.replace("</head>", "\n".join(links) + "\n</head>", 1)


def _scripts(html: str) -> list[str]:
    """What our pages draw with and all that it imports, as far as Streamlit's page does not name it itself."""
    folder = _STATIC / "static" / "js"
    found: dict[str, None] = {}
    waiting = [path.name for name in DRAWN_WITH for path in sorted(folder.glob(f"{name}.*.js"))]
    while waiting:
        name = waiting.pop()
        if name not in found and name not in html:
            found[name] = None
            waiting += _IMPORTED.findall((folder / name).read_text())
    return list(found)


def _pages() -> list[str]:
    return sorted(path.stem for path in (ROOT / "pages").glob("*.py"))
