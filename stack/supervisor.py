"""Starts the processes of a table in order, watches them, and ends all of them when one dies or a person asks."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from stack import proc
from stack.child import Child
from stack.processes import Process

TICK_SECONDS = 0.1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
KILL = ((signal.SIGKILL, 5.0),)
ORPHAN_GRACES = ((signal.SIGINT, 10.0), (signal.SIGTERM, 3.0), *KILL)

Say = Callable[[str], None]


class Supervisor:
    """Runs one table of processes from start to stop. To be used once, in the main thread."""

    def __init__(
        self, table: list[Process], *, logs: Path, say: Say, changed: Callable[["Supervisor"], None] = lambda _: None
    ) -> None:
        self.table = table
        self.logs = logs
        self.say = say
        self.changed = changed
        """Called after a start and when readiness changes."""
        self.children: dict[str, Child] = {}
        self._ready: set[str] = set()
        self._requests = 0

    @property
    def is_ready(self) -> bool:
        """Whether everything that a user needs is there."""
        return all(process.name in self._ready for process in self.table if not process.in_background)

    def run(self) -> int:
        """Start everything and stay until the end. Returns 0 when asked to stop, 1 when something failed."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_request)
        proc.become_subreaper()
        failed = None
        try:
            failed = self._watch()
            self.say(failed.describe() if failed else "stopping, as asked (once more to kill everything at once)")
        finally:
            self._stop()
            self.changed(self)
        self.say("stopped")
        return 1 if failed else 0

    def _on_request(self, _number: int, _frame: FrameType | None) -> None:
        self._requests += 1

    def _watch(self) -> Child | None:
        """Until a stop is asked for (None) or a child has failed (that child)."""
        while not self._requests:
            self._reap()
            if failed := next((child for child in self.children.values() if child.has_failed), None):
                return failed
            self._note_what_got_ready()
            self._start_what_can()
            time.sleep(TICK_SECONDS)
        return None

    def _start_what_can(self) -> None:
        for process in self.table:
            if process.name not in self.children and self._ready.issuperset(process.after):
                self.say(f"starting {process.name}")
                self.children[process.name] = Child.start(process, self.logs / f"{process.name}.log")
                self.changed(self)

    def _note_what_got_ready(self) -> None:
        for name, child in self.children.items():
            if name in self._ready or not child.ready.is_set():
                continue
            self._ready.add(name)
            if child.status:
                self.say(f"{child.describe()}\n(the rest works without it)")
            else:
                self.say(f"{name} is {'done' if child.process.is_step else 'ready'}")
            self.changed(self)

    def _reap(self) -> None:
        """Take the exit status of whatever ended: children, and orphans that became ours."""
        by_pid = {child.pid: child for child in self.children.values()}
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if child := by_pid.get(pid):
                child.ended(os.waitstatus_to_exitcode(status))

    # Stopping

    def _stop(self) -> None:
        """Ask round by round, kill what doesn't go, then end what the killed ones left behind."""
        for number in sorted({process.stop_round for process in self.table}):
            self._stop_round([child for child in self.children.values() if child.process.stop_round == number])
        orphans = self._end_orphans(KILL if self._hurry else ORPHAN_GRACES)
        if orphans:
            self.say(f"ended {orphans} processes that were left behind")

    @property
    def _hurry(self) -> bool:
        return self._requests > 1

    def _stop_round(self, children: list[Child]) -> None:
        alive = [child for child in children if child.status is None]
        proc.send([child.pid for child in alive], signal.SIGTERM)
        asked = time.monotonic()
        while not self._hurry and any(
            child.status is None and time.monotonic() - asked < child.process.grace_seconds for child in alive
        ):
            time.sleep(TICK_SECONDS)
            self._reap()
        for child in alive:
            if child.status is None:
                self.say(f"killing {child.process.name}, which did not stop")
        proc.end(lambda: [pid for child in children for pid in child.group()], KILL)
        self._reap()

    def _end_orphans(self, graces: tuple[tuple[signal.Signals, float], ...]) -> int:
        def find() -> list[int]:
            self._reap()
            return proc.descendants(os.getpid())

        return len(proc.end(find, graces))
