"""One started process of the stack: its log, its state, how it ended."""

import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from stack import proc
from stack.places import ROOT
from stack.processes import Process

LOG_LIMIT_BYTES = 10_000_000
LOG_TAIL_LINES = 15
READY_LIMIT_SECONDS = 600
CHECK_SECONDS = 0.2


@dataclass
class Child:
    """A started process, in a process group of its own."""

    process: Process
    handle: "subprocess.Popen[bytes]"
    log: Path
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: int | None = None
    """Exit status once it has ended; a negative one is the signal that killed it."""
    ready: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def start(cls, process: Process, log: Path) -> "Child":
        """Start the process with its output going to the log."""
        rotate(log)
        with log.open("ab") as output:
            handle = subprocess.Popen(process.command, env=process.environment, cwd=ROOT, process_group=0,
                                      stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)  # fmt: skip
        child = cls(process, handle, log)
        if not process.is_step:
            threading.Thread(target=child._await_ready, daemon=True).start()
        return child

    @property
    def pid(self) -> int:
        """Process id, and the id of its group."""
        return self.handle.pid

    @property
    def has_failed(self) -> bool:
        """Whether it ended though it should not have, or never got ready."""
        if self.status is None:
            waited = (datetime.now(UTC) - self.started).total_seconds()
            return not self.ready.is_set() and waited > READY_LIMIT_SECONDS
        return not self.process.may_fail and (self.status != 0 or not self.process.is_step)

    def ended(self, status: int) -> None:
        """Note that it is gone. A step is ready (done) now, unless it failed."""
        self.status = self.handle.returncode = status
        if status == 0 and self.process.when_done:
            self.process.when_done()
        if self.process.is_step and (status == 0 or self.process.may_fail):
            self.ready.set()

    def describe(self) -> str:
        """How it ended, with the last lines that it wrote."""
        if self.status is None:
            how = f"was not ready after {READY_LIMIT_SECONDS} s"
        elif self.status < 0:
            how = f"was killed by {signal.Signals(-self.status).name}"
        else:
            how = f"ended with status {self.status}"
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        quoted = "".join(f"\n    {line}" for line in lines)
        return f"{self.process.name} {how}; the last lines of {self.log}:{quoted}"

    def group(self) -> list[int]:
        """The live processes of its group; they may outlive their leader."""
        return proc.group_members(self.pid)

    def _await_ready(self) -> None:
        check = self.process.ready
        while check and self.status is None and not check(self.started):
            time.sleep(CHECK_SECONDS)
        if self.status is None:
            self.ready.set()


def rotate(log: Path) -> None:
    """Keep one older log when the current one has grown too long."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
