"""The one place that shows an error to a person: what went wrong, and what to try. Never a traceback."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from services.errors import BackendError, BackendUnreachable, InvalidInput, NotAllowed, NotFound, PilothouseError
from services.ui.words import plain

log = logging.getLogger(__name__)


def show(error: PilothouseError) -> None:
    """Draw the error box: the message, the hint below it, and a shape that tells whose fault it is."""
    text = plain(error.message)
    if error.hint:
        text += f"  \n:small[{plain(error.hint)}]"
    box = st.warning if isinstance(error, (InvalidInput, NotAllowed, NotFound)) else st.error
    box(text, icon=_icon(error))


@contextmanager
def guarded() -> Iterator[None]:
    """Show what goes wrong inside instead of failing the page; also a decorator. Logged once, with its cause."""
    try:
        yield
    except PilothouseError as error:
        if isinstance(error, BackendError):
            log.warning("%s", error, exc_info=error)
        show(error)


@contextmanager
def stopping() -> Iterator[None]:
    """As `guarded`, for what the rest of the page cannot do without: nothing is drawn after the error."""
    try:
        yield
    except PilothouseError as error:
        show(error)
        st.stop()


def _icon(error: PilothouseError) -> str:
    if isinstance(error, BackendUnreachable):
        return ":material/cloud_off:"
    if isinstance(error, NotFound):
        return ":material/search_off:"
    return ":material/error:" if isinstance(error, BackendError) else ":material/warning:"
