"""One change of a project's files at a time, in whichever process: a file lock, which the kernel frees at a crash."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dbt_api.errors import ApiError
from dbt_api.settings import settings

LOOK_SECONDS = 0.05


@contextmanager
def changing(project: str) -> Iterator[None]:
    """Hold the project's files. Raises ApiError 409 when another change of them takes too long."""
    folder = settings().data / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + settings().project_lock_seconds
    with (folder / f"{project}.lock").open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise ApiError(
                        409, f"The files of '{project}' are being changed by another request.", hint="Try again later."
                    ) from None
                time.sleep(LOOK_SECONDS)
        yield
