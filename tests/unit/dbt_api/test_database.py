"""The migrations make exactly the tables that the code uses, on both databases, and there and back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

import dbt_api.tables  # noqa: F401  fills the metadata
from contracts.dbt_api import InvocationState
from dbt_api import database, entity, store
from dbt_api.settings import settings
from dbt_api.tables import InvocationRow

OLD_ROW = """INSERT INTO invocation
(task_id, project, command, body_hash, concurrency_key, priority, source, state, attempt, created_at)
VALUES ('old', 'shop', '["run", "--select", "a b"]', 'x', 'shop/dev', 100, '{}', 'PENDING', 0, '2026-01-01 00:00:00')"""


@pytest.fixture(params=["sqlite", "postgres"], autouse=True)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTHOUSE_DBT_API_DATA", str(tmp_path))
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").database()
        monkeypatch.setenv("PILOTHOUSE_DBT_API_DATABASE_URL", url)
    settings.cache_clear()
    database.engine.cache_clear()
    yield
    database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()


def test_migrations_and_tables_agree() -> None:
    assert database.migrate() == (None, database.newest_version())
    assert database.migrate() == (database.newest_version(), database.newest_version())
    with database.engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "dbt_api_alembic_version"})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_migrations_can_be_taken_back() -> None:
    database.migrate()
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    with database.engine().begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert database.schema_version() is None
    database.migrate()


def test_the_database_itself_refuses_a_second_writer_of_a_target() -> None:
    database.migrate()

    def row(task_id: str, state: InvocationState, target: str = "shop/dev") -> InvocationRow:
        return InvocationRow(
            task_id=task_id,
            project="shop",
            command=["run"],
            body_hash="",
            concurrency_key=target,
            priority=1,
            source={},
            state=state,
        )

    for task_id, state in (("a", InvocationState.STARTED), ("b", InvocationState.SUCCESS)):
        store.insert(row(task_id, state))
    store.insert(row("c", InvocationState.STARTED, "shop/prod"))
    with pytest.raises(IntegrityError):
        store.insert(row("d", InvocationState.STARTED))
    store.insert(row("e", InvocationState.PENDING))
    waiting = store.find("e")
    assert waiting is not None
    assert store.begin(waiting) is None


def test_rows_of_an_older_server_are_taken_along() -> None:
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
