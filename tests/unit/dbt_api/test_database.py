"""The migrations make exactly the tables that the code uses, on both databases, and there and back."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel

import dbt_api.tables  # noqa: F401  fills the metadata
from contracts.dbt_api import InvocationState, Outcome
from dbt_api import database, entity, forecast, sealing, store
from dbt_api.projects.registry import save_project
from dbt_api.redaction import Plain
from dbt_api.running.attempt import Attempt
from dbt_api.running.outcome import failure
from dbt_api.running.runner import conclude
from dbt_api.running.stopping import usual_grace
from dbt_api.settings import settings
from dbt_api.tables import InvocationRow, ProjectRow, WorkerRow, now
from tests.unit.dbt_api.project import write_project

OLD_ROW = """INSERT INTO invocation
(task_id, project, command, body_hash, concurrency_key, priority, source, state, attempt, created_at)
VALUES ('old', 'shop', '["run", "--select", "a b"]', 'x', 'shop/dev', 100, '{}', 'PENDING', 0, '2026-01-01 00:00:00')"""


PROJECT_IN_V2 = """INSERT INTO project (name, source, path, environment, bundle_folder, updated_at)
VALUES ('shop', '{}', '/shop', 'v2', '.', '2026-01-01 00:00:00')"""


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


def worker(name: str, slots: int, *, silent_seconds: float = 0) -> WorkerRow:
    moment = now() - timedelta(seconds=silent_seconds)
    facts: dict[str, Any] = {"incarnation": name, "folder": "", "host": "", "version": "", "started_at": moment}
    return WorkerRow(id=name, slots=slots, lease_seconds=600, last_seen_at=moment, **facts)


def test_the_forecast_hands_out_the_slots_of_all_workers_that_live() -> None:
    database.migrate()
    for number in range(6):
        store.insert(waiting(f"w{number}", f"shop/t{number}", eta_ms=60_000))
    assert {each.expected_start_at for each in forecast.places().values()} == {None}, "nobody is there to start them"
    with database.session() as opened:
        opened.add_all([worker("a", 2), worker("b", 3), worker("gone", 7, silent_seconds=3600)])
    places = forecast.places()
    assert [places[f"w{number}"].position for number in range(6)] == [1, 2, 3, 4, 5, 6]
    starts = [places[f"w{number}"].expected_start_at for number in range(6)]
    assert len(set(starts[:5])) == 1
    assert starts[5] == starts[0] + timedelta(minutes=1)  # type: ignore[operator]


def test_an_attempt_that_two_followed_to_its_end_is_requeued_once_and_never_ended_by_the_other() -> None:
    """After a restart the queue and the worker itself may both follow what was left running."""
    database.migrate()
    store.insert(waiting("lost", "shop/dev", max_attempts=3))
    first = store.begin(found("lost"))
    assert first is not None
    assert store.requeue(first)
    assert not store.requeue(first)
    store.finish("lost", failure(Outcome.WORKER_LOST, "it was killed"), attempt=1)
    assert (found("lost").state, found("lost").attempt) == (InvocationState.PENDING, 1)
    assert store.begin(found("lost")) is not None
    conclude("lost", Attempt("lost", 1))
    assert (found("lost").state, found("lost").attempt) == (InvocationState.STARTED, 2)


def found(task_id: str) -> InvocationRow:
    row = store.find(task_id)
    assert row is not None
    return row


def waiting(task_id: str, key: str, **more: Any) -> InvocationRow:
    facts: dict[str, Any] = {"project": "shop", "command": ["run"], "body_hash": "", "priority": 1, "source": {}}
    return InvocationRow(task_id=task_id, concurrency_key=key, **facts, **more)


def test_the_first_process_sets_the_sealing_key_and_others_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def become(key: str) -> None:
        monkeypatch.setattr(settings(), "sealing_key", SecretStr(key))
        sealing._fernet.cache_clear()

    database.migrate()
    become("one")
    assert sealing.fits() is None
    sealing.check_key()
    sealing.check_key()
    hidden = sealing.sealed(Plain(["run", "--vars", '{"password": "hunter2"}'], {}))
    assert hidden is not None
    store.insert(waiting("sealed", "shop/dev", sealed=hidden))
    become("two")
    assert sealing.fits() is False
    with pytest.raises(sealing.OtherSealingKey, match="same PILOTHOUSE_DBT_API_SEALING_KEY"):
        sealing.check_key()
    with pytest.raises(sealing.OtherSealingKey, match="let them end first"):
        sealing.change_key()
    store.finish("sealed", failure(Outcome.TIMEOUT, "late"))
    if settings().is_shared:
        with pytest.raises(sealing.OtherSealingKey):
            sealing.check_key()
        sealing.change_key()
    sealing.check_key()
    assert sealing.fits() is True
    sealing._fernet.cache_clear()


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


def test_the_grace_of_an_abort_is_the_adapters_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_DBT_API_ABORT_GRACE_BY_ADAPTER", '{"duckdb": 7}')
    settings.cache_clear()
    database.migrate()
    save_project(ProjectRow(name="shop", source={}, path=str(write_project(tmp_path / "shop"))))
    keys = ("shop/prod", "shop/nowhere", "deleted/prod")
    rows = [
        InvocationRow(
            task_id=key, project=key.split("/")[0], command=[], body_hash="", concurrency_key=key, source={}, priority=1
        )
        for key in keys
    ]
    assert [usual_grace(row) for row in rows] == [7, 60, 60]


def test_rows_of_an_older_server_are_taken_along() -> None:
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    with database.engine().begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text(OLD_ROW))
        command.upgrade(config, "0007")
        connection.execute(text(PROJECT_IN_V2))
    database.migrate()
    row = store.find("old")
    assert row is not None
    assert row.environment == "v2", "what waits runs in its project's dbt environment, as it would have before"
    assert (row.command_display, row.max_attempts, row.tags) == ("dbt run --select 'a b'", 1, {})
    assert entity.described([row])[0].state is InvocationState.PENDING
    with database.engine().begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
