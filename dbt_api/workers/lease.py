"""The lease of this process as a worker: taken at the start, renewed by a thread, given back at the end.

On SQLite there is one worker, and the lease is nothing but its sign of life. On Postgres others take over the targets
of a worker that is silent for `worker_lease_seconds`; so from half of that time on, ours counts as lapsed here: nothing
new starts, and the guard (lease_guard.py) ends what runs.
"""

import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import IO

from sqlalchemy.exc import SQLAlchemyError

from dbt_api.settings import settings
from dbt_api.workers import lease_guard, registry
from dbt_api.workers.lease_guard import clock

LOG = logging.getLogger(__name__)
RENEWALS_PER_LEASE = 6


class Lease:
    """Made at import, without effect until `take`; every part of this process asks this one object."""

    def __init__(self) -> None:
        self._incarnation = uuid.uuid4().hex
        self._renewed = clock()
        self._lock: IO[str] | None = None
        self._left = threading.Event()
        self.is_lost = False
        """Whether others have declared us lost: this process has to end."""

    @property
    def lapsed(self) -> bool:
        """Whether others may soon count us as lost, so that nothing may be started here."""
        is_held = self._lock is not None and settings().is_shared
        return self.is_lost or (is_held and clock() - self._renewed > settings().worker_lease_seconds / 2)

    def take(self) -> bool:
        """Become a worker. True when what an earlier one of our id ran is lost. Raises WorkerRefused."""
        self._lock = _lock_folder(settings().data)
        moment = clock()
        replaced = registry.claim(self._incarnation, folder=_identity(settings().data))
        self._note_renewal(moment)
        threading.Thread(target=self._keep, daemon=True, name="lease").start()
        if settings().is_shared:
            self._start_guard()
        return replaced

    def give_back(self) -> None:
        """Say farewell; called when nothing of ours runs any more."""
        if self._lock is None:
            return
        self._left.set()
        try:
            registry.farewell(self._incarnation)
        except SQLAlchemyError as error:
            LOG.warning("The worker could not say farewell; its lease will lapse: %s", error)
        self._file.unlink(missing_ok=True)
        self._lock.close()
        self._lock = None

    @property
    def _file(self) -> Path:
        return settings().data / "lease.json"

    def _keep(self) -> None:
        while not self._left.wait(settings().worker_lease_seconds / RENEWALS_PER_LEASE):
            moment = clock()
            try:
                if not registry.renew(self._incarnation):
                    return self._lose()
                self._note_renewal(moment)
            except (SQLAlchemyError, OSError) as error:
                LOG.warning("The worker's lease could not be renewed: %s", error)
        return None

    def _note_renewal(self, moment: float) -> None:
        """Tell ourselves and the guard; the moment lies before the database was asked."""
        half = self._file.with_suffix(".part")
        half.write_text(json.dumps({"incarnation": self._incarnation, "renewed": moment}))
        half.replace(self._file)
        self._renewed = moment

    def _lose(self) -> None:
        LOG.critical("This worker was counted as lost, so others took over. It ends; start it again.")
        self.is_lost = True
        os.kill(os.getpid(), signal.SIGTERM)

    def _start_guard(self) -> None:
        script = str(Path(lease_guard.__file__))
        arguments = [str(self._file), str(settings().attempts), self._incarnation, str(settings().worker_lease_seconds)]
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", script, *arguments], stdin=subprocess.DEVNULL, start_new_session=True
        )
        threading.Thread(target=process.wait, daemon=True, name="reaper of the lease guard").start()


lease = Lease()


def _lock_folder(data: Path) -> IO[str]:
    """Hold the data folder for as long as this process lives. Raises WorkerRefused when another holds it."""
    data.mkdir(parents=True, exist_ok=True)
    file = (data / "worker.lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise registry.WorkerRefused(f"Another worker of the dbt API uses the data folder {data} already.") from None
    return file


def _identity(data: Path) -> str:
    """A name for the folder that moves with it."""
    file = data / "identity"
    if not file.exists():
        file.write_text(uuid.uuid4().hex)
    return file.read_text()
