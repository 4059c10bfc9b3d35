"""The migrations make exactly the tables that the code uses."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import SQLModel

import dbt_api.tables  # noqa: F401  fills the metadata
from contracts.dbt_api import InvocationState
from dbt_api import database, entity, store
from dbt_api.settings import settings

OLD_ROW = """INSERT INTO invocation
(task_id, project, command, body_hash, concurrency_key, priority, source, state, attempt, created_at)
VALUES ('old', 'shop', '["run", "--select", "a b"]', 'x', 'shop/dev', 100, '{}', 'PENDING', 0, '2026-01-01 00:00:00')"""


def test_migrations_and_tables_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_DBT_API_DATA", str(tmp_path))
    settings.cache_clear()
    database.engine.cache_clear()
    try:
        database.migrate()
        database.migrate()
        with database.engine().connect() as connection:
            context = MigrationContext.configure(connection, opts={"version_table": "dbt_api_alembic_version"})
            assert compare_metadata(context, SQLModel.metadata) == []
    finally:
        database.engine().dispose()
        settings.cache_clear()
        database.engine.cache_clear()


def test_rows_of_an_older_server_are_taken_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_DBT_API_DATA", str(tmp_path))
    settings.cache_clear()
    database.engine.cache_clear()
    try:
        config = Config()
        config.set_main_option("script_location", str(database.MIGRATIONS))
        with database.engine().begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
            connection.execute(text(OLD_ROW))
        database.migrate()
        row = store.find("old")
        assert row is not None
        assert (row.command_display, row.max_attempts, row.tags) == ("dbt run --select 'a b'", 1, {})
        assert entity.described([row])[0].state is InvocationState.PENDING
        with database.engine().begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "0001")
    finally:
        database.engine().dispose()
        settings.cache_clear()
        database.engine.cache_clear()
