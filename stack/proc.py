"""What runs on this machine, from Linux' /proc. Elsewhere nothing is found and the callers do without."""

import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
PROC = Path("/proc")


def become_subreaper() -> None:
    """Let orphaned grandchildren become our children, so that none is lost. Does nothing where there is no prctl."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _stat(pid: int) -> tuple[str, int, int] | None:
    """State, parent and process group of a process, or None when it is gone."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1]), int(fields[2])


def pids() -> list[int]:
    """All processes of this machine that live; zombies count as gone."""
    if not PROC.is_dir():
        return []
    numbers = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()]
    return [pid for pid in numbers if is_alive(pid)]


def is_alive(pid: int) -> bool:
    """Whether the process runs. A zombie does not."""
    stat = _stat(pid)
    return stat is not None and stat[0] not in "ZX"


def descendants(ancestor: int) -> list[int]:
    """Children, children's children and so on."""
    parents = {pid: stat[1] for pid in pids() if (stat := _stat(pid))}
    found: list[int] = []
    generation = {ancestor}
    while generation:
        generation = {pid for pid, parent in parents.items() if parent in generation}
        found += sorted(generation)
    return found


def group_members(group: int) -> list[int]:
    """The live processes of a process group."""
    return [pid for pid in pids() if (stat := _stat(pid)) and stat[2] == group]


def marked(name: str, value: str) -> list[int]:
    """Processes that were started with this environment variable, other than this one."""
    wanted = f"{name}={value}".encode()
    found = []
    for pid in pids():
        with suppress(OSError):
            if pid != os.getpid() and wanted in (PROC / str(pid) / "environ").read_bytes().split(b"\0"):
                found.append(pid)
    return found


def send(pids_: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to processes, some of which may be gone."""
    for pid in pids_:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def end(find: Callable[[], list[int]], graces: Iterable[tuple[signal.Signals, float]]) -> list[int]:
    """Send what `find` finds one signal after the other until nothing is found. Returns what was found first."""
    first = found = find()
    for number, seconds in graces:
        send(found, number)
        deadline = time.monotonic() + seconds
        while found and time.monotonic() < deadline:
            time.sleep(0.05)
            found = find()
        if not found:
            break
    return first
