"""The processes that a zygote has forked: it is their parent, so it alone learns how one of them was killed."""

import os
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dbt_api.running import shim


@dataclass(frozen=True)
class Child:
    """A forked process: dbt in the folder of its attempt, or another zygote."""

    pid: int
    folder: str | None = None
    lock: int | None = None
    """The attempt's lock, held until the ending is written: whoever finds it free finds that too."""


class Family:
    """Children by their pidfd, which can be waited for beside the socket."""

    def __init__(self) -> None:
        self._children: dict[int, Child] = {}

    @property
    def processes(self) -> Collection[int]:
        """The pidfds; each is readable once its process has ended."""
        return self._children.keys()

    @property
    def runs_dbt(self) -> bool:
        """Whether any of them is dbt, of whose ending somebody has to know."""
        return any(child.folder is not None for child in self._children.values())

    def adopt(self, pid: int, folder: str | None = None, *, lock: int | None = None) -> None:
        """Take in a child that was just forked."""
        self._children[os.pidfd_open(pid)] = Child(pid, folder, lock)

    def bury(self, process: int) -> None:
        """Write down how a child ended that could not do so itself, and let go of it."""
        child = self._children.pop(process)
        _, status, usage = os.wait4(child.pid, 0)
        if child.folder is not None and not Path(child.folder, shim.ENDING).exists():
            with suppress(OSError):  # such as a full disk: then it is lost, and the others go on
                shim.record(child.folder, os.waitstatus_to_exitcode(status), usage)
        _close(process, child)

    def leave(self) -> None:
        """In a new child: its brothers are not its business, and their locks must be free when they have ended."""
        for process, child in self._children.items():
            _close(process, child)
        self._children.clear()


def _close(process: int, child: Child) -> None:
    os.close(process)
    if child.lock is not None:
        os.close(child.lock)
