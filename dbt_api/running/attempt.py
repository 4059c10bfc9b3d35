"""One dbt process by its folder: how it is started, and what can be known of it, also after a restart.

Whether it lives is asked of a file lock that dbt and its parent (a shim, or a zygote) hold, never of a process id:
the kernel frees the lock when the last of them is gone, however it went, and ids are used again.

    lock held                             it runs: follow it
    lock free, exit.json                  it ended: read how
    lock free, dbt.pid, no exit.json      it was lost together with its parent
    lock free, neither                    dbt never began: starting it is safe
"""

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from contracts.dbt_api import Engine
from dbt_api.running.dbt_process import DbtCall
from dbt_api.running.warm import WarmUnanswered, start_warm
from dbt_api.settings import settings
from dbt_api.workers.lease_guard import NOTE

SHIM = Path(__file__).with_name("shim.py")
LOOK_SECONDS = 0.01
ENDING_LOOK_SECONDS = 0.002


@dataclass(frozen=True)
class Ending:
    """How a dbt process ended: an exit code, or the signal that killed it."""

    exit_code: int | None
    signal: int | None
    peak_rss_kb: int
    finished_at: datetime


@dataclass(frozen=True)
class Started:
    """Which way dbt was started, and why cold if so."""

    engine: Engine
    reason: str | None = None


class Execution:
    """One dbt process. The folder tells everything about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def log(self) -> Path:
        """All that dbt printed: its JSON events, and tracebacks and usage errors in between."""
        return self.folder / "events.jsonl"

    @property
    def target(self) -> Path:
        """dbt's private target path: the artifacts."""
        return self.folder / "target"

    def start(self, call: DbtCall) -> Started:
        """Start dbt, warm where possible. Log and lock are file descriptors, so both outlive this server."""
        self.target.mkdir(parents=True, exist_ok=True)
        try:
            reason = self._start_warm(call)
        except WarmUnanswered as unanswered:
            reason = None if self._began_all_the_same() else str(unanswered)
        if reason is None:
            return Started(Engine.WARM)
        self._start_cold(call)
        return Started(Engine.COLD, reason)

    def _start_warm(self, call: DbtCall) -> str | None:
        with self._lock() as lock, self.log.open("ab") as log:
            fcntl.flock(lock, fcntl.LOCK_EX)  # waits for those who just ask
            return start_warm(call, self.folder, lock=lock, log=log.fileno())

    def _began_all_the_same(self) -> bool:
        """Whether a warm process that gave no answer has started dbt: it holds the lock until that is on record.

        A process that another thread starts holds all our files too, but only until it has become another program.
        """
        while self.is_alive() and not self.began:
            time.sleep(LOOK_SECONDS)
        return self.began

    def _start_cold(self, call: DbtCall) -> None:
        limit = str(settings().memory_limit_mb << 20)
        with self._lock() as lock, self.log.open("ab") as log:
            fcntl.flock(lock, fcntl.LOCK_EX)  # waits for those who just ask
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(SHIM), str(self.folder), limit, *call.command],
                cwd=call.path,
                env=call.variables(self.folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock],
                start_new_session=True,
            )
        threading.Thread(target=process.wait, daemon=True, name=f"reaper of {self.folder.name}").start()

    def is_alive(self) -> bool:
        """Whether dbt still runs, or its parent has yet to write down how it ended."""
        if not self.folder.is_dir():
            return False
        with self._lock() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # two who ask are no reason to say yes
            except BlockingIOError:
                return True
        return False

    def wait(self, seconds: float) -> None:
        """Return soon after dbt's process has ended, or when the time is over.

        Only a hint, since process ids are used again: whether all is over, `is_alive` knows.
        """
        try:
            process = os.pidfd_open(int((self.folder / "dbt.pid").read_text()))
        except (OSError, ValueError, AttributeError):  # not begun, or just ended; or there is no such call (macOS)
            time.sleep(LOOK_SECONDS)
            return
        try:
            if select.select([process], [], [], seconds)[0]:
                time.sleep(ENDING_LOOK_SECONDS)
        finally:
            os.close(process)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[int]:
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @property
    def began(self) -> bool:
        """Whether dbt may have done anything at all."""
        return (self.folder / "dbt.pid").exists()

    @property
    def lease_lapsed(self) -> bool:
        """Whether dbt was ended because its worker might have been replaced (workers/lease_guard.py)."""
        return (self.folder / NOTE).exists()

    def ending(self) -> Ending | None:
        """How dbt ended; None while it runs, and for ever when its parent was killed with it."""
        try:
            record = json.loads((self.folder / "exit.json").read_text())
        except FileNotFoundError:
            return None
        moment = datetime.fromtimestamp(record.pop("finished_at"), UTC)
        return Ending(**record, finished_at=moment)

    def send(self, number: signal.Signals) -> bool:
        """Signal dbt's whole process group; False when there is none (yet, or any more)."""
        if not self.is_alive() or not self.began:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int((self.folder / "dbt.pid").read_text()), number)
            return True
        return False


class Attempt(Execution):
    """The attempt `number` (from 1) of an invocation."""

    def __init__(self, task_id: str, number: int) -> None:
        super().__init__(settings().attempts / task_id / str(number))
        self.task_id, self.number = task_id, number
