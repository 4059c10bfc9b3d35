"""`python -m dbt_api doctor`: one line for each thing that has to be right, with what to do when it isn't."""

import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from dbt_api import database, sealing
from dbt_api.database import session
from dbt_api.running.dbt_process import adapters, installed
from dbt_api.settings import PREFIX, settings
from dbt_api.tables import now
from dbt_api.workers import registry

DISK_BYTES = 1 << 30
CLOCK_SECONDS = 5


@dataclass(frozen=True)
class Finding:
    """What was found of one thing; `advice` only when something has to be done."""

    what: str
    found: str
    advice: str | None = None

    @property
    def is_well(self) -> bool:
        """Whether nothing has to be done."""
        return self.advice is None

    def __str__(self) -> str:
        told = f"{'ok     ' if self.is_well else 'PROBLEM'}  {self.what}: {self.found}"
        return f"{told} → {self.advice}" if self.advice else told


def examine() -> list[Finding]:
    """Every finding; what needs the database is left out when there is none."""
    findings = [_token(), _data(), _disk(), _dbt(), _storage(), _database()]
    if findings[-1].is_well:
        more = {"queue": _queue, "workers": _workers, "sealing key": _sealing_key, "clock": _clock}
        findings += [_guarded(what, check) for what, check in more.items()]
    return findings


def _guarded(what: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except SQLAlchemyError as error:
        return Finding(what, f"{type(error).__name__}: {error}".splitlines()[0], "see the database's own log")


def _token() -> Finding:
    file = settings().token_file
    if not file.exists():
        given = settings().token is not None
        found = f"given by {PREFIX}TOKEN" if given else "none yet; the first start makes one"
        return Finding("token", found)
    if stat.S_IMODE(file.stat().st_mode) & 0o077:
        return Finding("token", f"others than its owner may read {file}", f"chmod 600 {file}")
    return Finding("token", f"kept in {file}, for its owner only")


def _data() -> Finding:
    folder = settings().data
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return Finding("data folder", f"{folder} can be written")
    except OSError as error:
        return Finding("data folder", f"{folder}: {error.strerror}", f"make it writable, or set {PREFIX}DATA")


def _disk() -> Finding:
    if not settings().data.exists():
        return Finding("disk", "the data folder is missing", f"set {PREFIX}DATA")
    free = shutil.disk_usage(settings().data).free
    advice = f"free some space, or set {PREFIX}RETENTION_DAYS" if free < DISK_BYTES else None
    return Finding("disk", f"{free >> 20} MiB free where the data lies", advice)


def _dbt() -> Finding:
    dbt = settings().dbt
    if not os.access(dbt, os.X_OK):
        return Finding("dbt", f"{dbt} is no program", f"set {PREFIX}DBT to the dbt command of its environment")
    if not adapters():
        return Finding("dbt", "there is no adapter beside it", "install the adapter of your warehouse, e.g. dbt-duckdb")
    return Finding("dbt", f"{installed().get('core', 'of unknown version')} with {', '.join(adapters())}")


def _storage() -> Finding:
    from dbt_api import storage

    if settings().files_url is None:
        advice = f"set {PREFIX}FILES_URL, or others cannot read what this one's workers leave"
        alone = Finding("storage", "logs and artifacts stay on this host")
        return replace(alone, advice=advice) if settings().is_shared and not settings().worker else alone
    try:
        storage.check()
    except Exception as error:  # each storage has its own
        told = f"{settings().files_url} cannot be written: {type(error).__name__}: {error}".splitlines()[0]
        return Finding("storage", told, "check the bucket, its rights and the usual variables of its keys")
    return Finding("storage", f"{settings().files_url} can be written")


def _database() -> Finding:
    kind = "Postgres" if settings().is_shared else "SQLite"
    try:
        version = database.schema_version()
        if version is None:
            return Finding("database", f"{kind} answers, but holds no schema", "python -m dbt_api migrate")
        database.check_write()
    except SQLAlchemyError as error:
        told = str(getattr(error, "orig", error)).splitlines()[0]
        return Finding("database", f"{kind} cannot be written: {told}", f"check {PREFIX}DATABASE_URL and its rights")
    if version != database.newest_version():
        return Finding("database", f"{kind} has schema {version}, which is old", "python -m dbt_api migrate")
    return Finding("database", f"{kind} can be written, schema {version}")


def _queue() -> Finding:
    from dbt_api import queue

    try:
        taken = queue.count_waiting()
    except SQLAlchemyError:
        advice = f"start `serve` or `worker` once, or check {PREFIX}QUEUE_DATABASE_URL"
        return Finding("queue", "it was never opened", advice)
    return Finding("queue", f"{taken} waiting")


def _workers() -> Finding:
    everybody = registry.everybody()
    alive = [row for row, is_alive in everybody if is_alive]
    if not alive:
        return Finding("workers", "none is alive", "start `python -m dbt_api serve` or `worker`")
    told = ", ".join(f"{row.id} on {row.host} with {row.slots} slots" for row in alive)
    if len({row.slots for row in alive}) > 1:
        advice = f"give all the same {PREFIX}SLOTS: the queue knows one number, the last started worker's"
        return Finding("workers", told, advice)
    return Finding("workers", f"{told} (this host is {socket.gethostname()})")


def _sealing_key() -> Finding:
    if sealing.fits() is False:
        advice = f"give all servers and workers the same {PREFIX}SEALING_KEY"
        return Finding("sealing key", "it is not the one of this database's servers and workers", advice)
    return Finding("sealing key", "the same as the others'")


def _clock() -> Finding:
    with session() as opened:
        apart = abs(registry.database_now(opened) - now())
    found = f"{apart.total_seconds():.1f} s apart from the database's"
    advice = "let both hosts keep time by NTP" if apart > timedelta(seconds=CLOCK_SECONDS) else None
    return Finding("clock", found, advice)
