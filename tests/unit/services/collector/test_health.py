"""How systems are, as it is stored."""

import sqlite3

import pytest

from services import database, health
from services.settings import settings


def test_a_busy_database_loses_one_report_and_not_the_reporter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    database.engine().dispose()
    health.report(health.AIRFLOW, reachable=True, version="3")
    with sqlite3.connect(settings().data / "console.db") as other:
        other.execute("begin immediate")
        health.report(health.AIRFLOW, reachable=False, message="It is away.")
        assert health.of_system(health.AIRFLOW).reachable
    health.report(health.AIRFLOW, reachable=False, message="It is away.")
    assert health.of_system(health.AIRFLOW).message == "It is away."
