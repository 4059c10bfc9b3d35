"""The dbt API's database: SQLite by default, Postgres by URL; migrations by Alembic."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Pool, event, text
from sqlmodel import Session, create_engine

from dbt_api.settings import settings
from dbt_api.tables import WorkerRow, now
from dbt_api.version import VERSION

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "dbt_api_alembic_version"
BUSY_TIMEOUT_MS = 15_000
POSTGRES = {
    "connect_timeout": 10,
    "tcp_user_timeout": 15_000,
    "keepalives_idle": 15,
    "options": "-c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000",
}
"""libpq's parameters: a database that went silent is noticed within seconds, in place of the system's hours."""
MIGRATION_LOCK = 5_810_004
"""Advisory lock on Postgres, so that processes that start together migrate one after the other."""


@cache
def engine() -> Engine:
    """The engine of this process. Request threads and the queue's threads share it."""
    url = settings().store_url
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=30, connect_args=POSTGRES)
    settings().data.mkdir(parents=True, exist_ok=True)
    made = create_engine(url, connect_args={"check_same_thread": False})
    event.listen(made, "connect", _be_patient)
    return made


def _be_patient(connection: sqlite3.Connection, _record: Any) -> None:
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


@event.listens_for(Pool, "connect")
def _spare_the_disk(connection: Any, _record: Any) -> None:
    """For the queue's SQLite too, which DBOS opens: a commit need not wait for the disk.

    A kill loses nothing. A power cut may lose the last moments, of both files alike.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")


@contextmanager
def session() -> Iterator[Session]:
    """One unit of work: committed when the block ends well, rolled back when it doesn't. Rows stay readable."""
    with Session(engine(), expire_on_commit=False) as opened, opened.begin():
        yield opened


def migrate() -> tuple[str | None, str | None]:
    """Bring the schema to the newest version. Safe to repeat. Gives back the versions before and after."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine().begin() as connection:
        if settings().is_shared:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        before = _version(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return before, _version(connection)


def schema_version() -> str | None:
    """The newest migration that the database has had."""
    with engine().connect() as connection:
        return _version(connection)


def newest_version() -> str | None:
    """The newest migration that this program knows."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def check_write() -> None:
    """Write a row and take it back; raises what the database raises when it cannot be written."""
    moment = now()
    row = WorkerRow(
        id=f"write-check-{uuid.uuid4().hex}",
        incarnation="",
        folder="",
        host="",
        version=VERSION,
        slots=0,
        lease_seconds=0,
        started_at=moment,
        last_seen_at=moment,
    )
    with Session(engine()) as opened:
        opened.add(row)
        opened.flush()
        opened.rollback()


def _version(connection: Connection) -> str | None:
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision()
