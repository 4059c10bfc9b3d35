"""One change of a project at a time, in whichever process: a lock on a file, which the system frees at a crash."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from services.errors import NotAllowed
from services.settings import settings

_PUBLISHING = ".publishing"
_GLANCE_SECONDS = 0.5
"""`is_changing` holds the lock for a moment too: so long a holder is waited for."""


@contextmanager
def changing(name: str) -> Iterator[None]:
    """Hold the project. Raises NotAllowed when its steps, or another change of it, are under way."""
    with _file(name).open("w") as file:
        patience = time.monotonic() + _GLANCE_SECONDS
        while not _taken(file):
            if time.monotonic() > patience:
                raise NotAllowed(
                    f"Project '{name}' is being worked on.", hint="Wait until its steps have ended, then try again."
                )
            time.sleep(0.02)
        yield


def is_changing(name: str) -> bool:
    """Whether anybody holds the project now."""
    with _file(name).open("w") as file:
        return not _taken(file)


@contextmanager
def publishing() -> Iterator[None]:
    """Wait for the turn to write the list of all projects."""
    with _file(_PUBLISHING).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _file(name: str) -> Path:
    folder = settings().data / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.lock"
