"""The console's SQLite database: one engine a process, a session an operation, migrations by Alembic."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlmodel import Session, create_engine

from services.settings import settings

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_MS = 15_000


@cache
def engine() -> Engine:
    """The engine of this process. Console and collector write at the same time, so the journal is a WAL."""
    settings().data.mkdir(parents=True, exist_ok=True)
    made = create_engine(settings().database_url, connect_args={"check_same_thread": False})
    event.listen(made, "connect", _prepare)
    return made


def _prepare(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def session() -> Iterator[Session]:
    """One unit of work: committed when the block ends well, rolled back when it doesn't.

    Rows stay readable after the commit, so that pages can draw what a service returned.
    """
    with Session(engine(), expire_on_commit=False) as opened, opened.begin():
        yield opened


def migrate() -> None:
    """Bring the database's schema to the newest version. Safe to repeat."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine().begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
