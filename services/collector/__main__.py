"""`python -m services.collector`: runs until SIGTERM or SIGINT. Exit status 1 when another collector writes here."""

import fcntl
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn, TextIO

from services import health
from services.airflow import Airflow
from services.collector.airflow_side import AirflowSide
from services.collector.dbt_api_side import DbtApiSide
from services.collector.google_side import GoogleSide
from services.collector.kubernetes_side import KubernetesSide
from services.collector.loop import Side, keep_asking
from services.connections import dbt_api
from services.database import migrate
from services.errors import NotAllowed, PilothouseError
from services.notifications.delivering import keep_delivering
from services.settings import settings

HEARTBEAT_SECONDS = 5.0
_STOP_SECONDS = 3.0
"""How long all loops together may take to end: one may be waiting for a system that does not answer."""

logger = logging.getLogger("services.collector")


def main() -> int:
    """Collect until told to stop; answers the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        with _alone():
            migrate()
            return _collect()
    except PilothouseError as error:
        logger.error("%s %s", error.message, error.hint or "")
        return 1


@contextmanager
def _alone() -> Iterator[TextIO]:
    """Two collectors would write the same files; the kernel frees the lock however this process ends."""
    settings().data.mkdir(parents=True, exist_ok=True)
    with (settings().data / "collector.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise NotAllowed(
                f"Another collector already writes to {settings().data}.", hint="Stop it, or set PILOTHOUSE_DATA."
            ) from error
        yield lock


def _collect() -> int:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sides = (AirflowSide(Airflow.from_settings()), DbtApiSide(dbt_api()), KubernetesSide(), GoogleSide())
    loops = [*(_started(side, stop) for side in sides), _notifying(stop)]
    logger.info("Collecting into %s.", settings().data)
    while not stop.is_set() and all(loop.is_alive() for loop in loops):
        health.report(health.COLLECTOR, reachable=True)
        stop.wait(HEARTBEAT_SECONDS)
    asked = stop.is_set()
    stop.set()
    until = time.monotonic() + _STOP_SECONDS
    for loop in loops:
        loop.join(max(0.0, until - time.monotonic()))
    health.report(health.COLLECTOR, reachable=False, message="The collector was stopped.")
    return 0 if asked else 1


def _leave(status: int) -> NoReturn:
    """End now: a loop may be in the midst of a gRPC call, on which the interpreter's own orderly end may break."""
    logging.shutdown()
    os._exit(status)


def _started(side: Side, stop: threading.Event) -> threading.Thread:
    loop = threading.Thread(target=keep_asking, args=(side, stop), name=side.system, daemon=True)
    loop.start()
    return loop


def _notifying(stop: threading.Event) -> threading.Thread:
    loop = threading.Thread(target=keep_delivering, args=(stop,), name="notifications", daemon=True)
    loop.start()
    return loop


if __name__ == "__main__":
    _leave(main())
