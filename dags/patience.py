"""Repeating a call to the dbt API while it is away for a moment: restarts must not fail a run that goes on there."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from services.errors import BackendError, BackendRejected, BackendTimeout, BackendUnreachable

Answer = TypeVar("Answer")

_LONGEST_PAUSE_SECONDS = 10.0

log = logging.getLogger(__name__)


def patiently(call: Callable[[], Answer], *, seconds: float) -> Answer:
    """The answer of a repeatable call; connection errors, 429 and 5xx are tried again for that many seconds.

    Raises the last BackendError when the time is over, and any other refusal at once.
    """
    deadline = time.monotonic() + seconds
    pause = 0.5
    while True:
        try:
            return call()
        except BackendError as error:
            if not _may_pass(error) or time.monotonic() + pause > deadline:
                raise
            log.warning("%s Trying again for up to %.0f s.", error.message, deadline - time.monotonic())
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _may_pass(error: BackendError) -> bool:
    if isinstance(error, BackendRejected):
        return error.status == 429 or error.status >= 500
    return isinstance(error, BackendUnreachable | BackendTimeout)
