"""The migrations make exactly the tables that the code uses."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

import dbt_api.tables  # noqa: F401  fills the metadata
from dbt_api import database
from dbt_api.settings import settings


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
