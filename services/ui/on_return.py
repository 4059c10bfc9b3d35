"""Draws a page anew when its reader comes back to it, so that a page on which nothing runs need not ask for news."""

from functools import cache
from typing import Any

from services.ui.components import JS, component

SCRIPT = JS / "on_return.js"


@cache
def _component() -> Any:
    return component("on_return", scripts=[SCRIPT], draws="onReturn")


def news_on_return() -> None:
    """Run the page, or the fragment that this is drawn in, when the browser's window or tab is looked at again."""
    _component()(key="on_return", height=1, on_clicked_change=lambda: None)
