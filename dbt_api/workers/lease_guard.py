"""Ends a worker's dbt processes when its lease is no longer renewed: `python -I -S lease_guard.py <arguments>`.

A worker that was killed leaves its dbt running, and one that is cut off from the database cannot know whether another
already took its place. Before others may count it as lost, its dbt must be gone, or two would write to one target. So
this small process beside each worker watches the time of the last renewal: after half of the lease it interrupts dbt,
which cancels its queries; after three quarters it kills. Others wait for the whole lease.
Standard library only: it has to live on when everything else of the worker does not.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import signal
import sys
import time

NOTE = "lease_lapsed"
"""File in an attempt's folder: dbt was ended here for this reason, and not by chance."""


def clock() -> float:
    """Seconds since the machine started, sleep included, the same for all its processes."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def lives(folder: pathlib.Path) -> bool:
    """Whether a process of the attempt holds its lock; see dbt_api/running/attempt.py."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def signal_all(invocations: pathlib.Path, number: signal.Signals) -> None:
    """Signal the dbt of every attempt that lives, with a note of why."""
    for record in invocations.glob("*/*/dbt.pid"):
        folder = record.parent
        if not (folder / "exit.json").exists() and lives(folder):
            (folder / NOTE).touch()
            with contextlib.suppress(ProcessLookupError, ValueError):
                os.killpg(int(record.read_text()), number)


def due(lease: pathlib.Path, incarnation: str, seconds: float) -> signal.Signals | None:
    """The signal that is due by the age of the lease. Raises StopIteration when the lease is not ours any more."""
    try:
        held = json.loads(lease.read_text())
    except FileNotFoundError:
        raise StopIteration from None
    if held["incarnation"] != incarnation:
        raise StopIteration
    age = clock() - held["renewed"]
    if age < seconds / 2:
        return None
    return signal.SIGKILL if age >= seconds * 3 / 4 else signal.SIGINT


def main(lease: pathlib.Path, invocations: pathlib.Path, incarnation: str, seconds: float) -> None:
    """Watch until the worker says farewell, is replaced, or is gone together with its dbt processes."""
    worker, last = os.getppid(), None
    while True:
        try:
            number = due(lease, incarnation, seconds)
        except StopIteration:
            return
        if number is not None and (number is signal.SIGKILL or number is not last):
            signal_all(invocations, number)
        last = number
        if number is signal.SIGKILL and os.getppid() != worker:
            return
        time.sleep(min(1.0, seconds / 20))


if __name__ == "__main__":
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], float(sys.argv[4]))
