"""The rhythm of one loop: tick, tell the system's health, and wait longer while the system doesn't answer."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from models.run import Run
from services import health
from services.errors import BackendTimeout, BackendUnreachable, PilothouseError

HEALTH_SECONDS = 15.0
_FIRST_PAUSE_SECONDS = 1.0
_ORDER_AGAIN_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 10.0

logger = logging.getLogger(__name__)


class Side(Protocol):
    """One outside system, followed."""

    system: str

    def check_health(self) -> None:
        """Ask the system how it is and store the answer. Raises PilothouseError when it doesn't answer."""

    def tick(self) -> float:
        """Collect what is new; answers the seconds until it is worth asking again. Raises PilothouseError."""


def keep_asking(side: Side, stop: threading.Event) -> None:
    """Tick until stopped. An error of the system is told once and waited out, never a reason to end."""
    pause = _FIRST_PAUSE_SECONDS
    checked = -HEALTH_SECONDS
    down = False
    while not stop.is_set():
        try:
            if down or time.monotonic() - checked >= HEALTH_SECONDS:
                side.check_health()
                checked, down, pause = time.monotonic(), False, _FIRST_PAUSE_SECONDS
            stop.wait(side.tick())
        except PilothouseError as error:
            if not down:
                logger.warning("%s: %s", side.system, error.message)
            down = True
            health.report(side.system, reachable=False, message=error.message)
            stop.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        except Exception:
            logger.exception("%s: going on after an error of our own.", side.system)
            stop.wait(_LONGEST_PAUSE_SECONDS)


def is_due(told: dict[int, float], run: Run) -> bool:
    """Whether to give an order about a run now, for the first time or again; `told` notes when it was given."""
    run_id = run.id or 0
    if time.monotonic() - told.get(run_id, -_ORDER_AGAIN_SECONDS) < _ORDER_AGAIN_SECONDS:
        return False
    told[run_id] = time.monotonic()
    return True


def each(runs: Iterable[Run], follow: Callable[[Run], None], *, visited: dict[int, float]) -> None:
    """Follow several runs, noting when. What goes wrong with one run is not the others' matter.

    Raises only what concerns the whole system: that it cannot be reached, or gives no answer.
    """
    for run in runs:
        visited[run.id or 0] = time.monotonic()
        try:
            follow(run)
        except (BackendUnreachable, BackendTimeout):
            raise
        except PilothouseError as error:
            logger.warning("Run %s: %s", run.id, error.message)
        except Exception:
            logger.exception("Run %s: going on after an error of our own.", run.id)
