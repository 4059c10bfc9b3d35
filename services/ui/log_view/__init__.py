"""A viewer for logs of any length: a Streamlit custom component (v2) that fetches the lines near the screen itself.

Streamlit tells it which run's logs there are and gives it a ticket to read them (services/logs/tickets.py); the lines
come by services/logs/routes.py, never through the session. What is shown is in the page's address.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from models.run import Invocation, Run
from services.logs.query import Shown
from services.logs.tickets import ticket_for
from services.ui.components import component

PARAMETERS = ("source", "try", "levels", "about", "find", "regex", "only", "line")
"""What the viewer keeps in the page's address; who leads to another place in the log drops them first."""
JUMP = "log_jumps"
"""Counted up by who changes these parameters while the viewer may be open: it then reads them again."""
ADDRESS = "api/logs"
"""Relative to the page, whatever path the console is served at."""
_HERE = Path(__file__).parent
_PARTS = ("server", "choice", "scroller", "lines", "keys", "pages", "places", "viewer", "main")
"""An inline component is one script: its parts, in order; the last exports what Streamlit calls."""


def log_view(
    run: Run,
    invocations: list[Invocation],
    sources: dict[Shown, str],
    *,
    person: str,
    live: bool,
    missing: Mapping[int | None, str],
    key: str,
    height: int = 560,
) -> None:
    """Show the logs of a run: the address says which try, source, filter and line.

    `missing` tells of each invocation, by its id, what of its log is not there; nothing of one that is whole.
    """
    assert run.id is not None
    data = {
        "run": run.id,
        "base": ADDRESS,
        "ticket": ticket_for(run.id, person),
        "tries": [
            {
                "id": one.id,
                "number": one.try_number,
                "start": _milliseconds(one.started_at or one.created_at),
                "missing": missing.get(one.id, ""),
            }
            for one in invocations
        ],
        "sources": list(sources.items()),
        "live": live,
        "jump": st.session_state.get(JUMP, 0),
        "empty": "Waiting for the first line…" if live else "Nothing was logged here.",
        "height": height,
    }
    _component()(data=data, key=key, on_ticket_change=lambda: None)


@cache
def _component() -> Any:
    return component(
        "log_view",
        html=(_HERE / "log_view.html").read_text(),
        css=[_HERE / "log_view.css"],
        scripts=[_HERE / "js" / f"{part}.js" for part in _PARTS],
    )


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
