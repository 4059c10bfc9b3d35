"""The database migrates from nothing, fits the tables in the code, and keeps times and words as they are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import SQLModel, select

from contracts.operators import OperatorName
from models.project import Project
from models.run import NodeResult, Run  # noqa: F401  the metadata must be whole
from models.system import SystemHealth
from services import database
from services.settings import settings


@pytest.fixture(autouse=True)
def empty_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    settings.cache_clear()
    database.engine.cache_clear()
    yield
    database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()


def test_migrating_twice_is_migrating_once() -> None:
    database.migrate()
    with database.session() as session:
        session.add(SystemHealth(system="airflow", reachable=True))
    database.migrate()
    with database.session() as session:
        assert session.get(SystemHealth, "airflow")


def test_the_migrations_make_exactly_the_tables_of_the_code() -> None:
    database.migrate()
    with database.engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_every_migration_can_be_taken_back() -> None:
    from alembic import command
    from alembic.config import Config

    database.migrate()
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    with database.engine().begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        left = connection.execute(text("select name from sqlite_master where type = 'table'")).scalars().all()
    assert set(left) <= {"alembic_version"}


def test_enums_are_stored_in_the_words_that_users_know() -> None:
    database.migrate()
    with database.session() as session:
        session.add(Run(project="harbour", dag_id="d", dag_run_id="r", operator=OperatorName.DBT_API, command="build"))
    with database.session() as session:
        assert session.execute(text("select state, operator, trigger from run")).one() == (
            "queued",
            "dbt_api",
            "manual",
        )


def test_times_keep_their_moment_whatever_their_zone() -> None:
    database.migrate()
    moment = datetime(2026, 3, 29, 3, 0, tzinfo=timezone(timedelta(hours=2)))
    with database.session() as session:
        session.add(SystemHealth(system="airflow", reachable=True, checked_at=moment))
    with database.session() as session:
        read = session.exec(select(SystemHealth)).one().checked_at
    assert read == moment
    assert read.tzinfo == UTC


def test_a_time_without_a_zone_is_a_bug() -> None:
    database.migrate()
    with pytest.raises(StatementError, match="naive"), database.session() as session:
        session.add(SystemHealth(system="airflow", reachable=True, checked_at=datetime(2026, 1, 1)))


def test_a_unit_of_work_that_fails_leaves_nothing() -> None:
    database.migrate()
    with pytest.raises(IntegrityError), database.session() as session:
        session.add_all(
            Project(name="harbour", owner="ann", created_by="ann", source={"kind": "template"}) for _ in range(2)
        )
    with database.session() as session:
        assert session.exec(select(Project)).all() == []
