"""The table of processes: what waits for what, and what each one is told."""

import json
from pathlib import Path

import pytest

from stack import processes, secrets
from stack.places import Places
from stack.processes import PARTS, Process


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places.from_settings({"PILOTHOUSE_DATA": str(tmp_path), "PILOTHOUSE_AIRFLOW_PORT": "9080"})


def table(places: Places, *parts: str) -> dict[str, Process]:
    return {process.name: process for process in processes.table(places, secrets.generate(places), parts or PARTS)}


@pytest.mark.parametrize("parts", [(), ("dbt-api",), ("airflow",), ("console",), ("airflow", "dbt-api")])
def test_nothing_waits_for_what_is_not_started(places: Places, parts: tuple[str, ...]) -> None:
    made = table(places, *parts)
    assert made
    assert all(name in made for process in made.values() for name in process.after)


def test_all_processes_work_on_the_same_data_and_find_each_other(places: Places) -> None:
    made = table(places)
    assert {process.environment["PILOTHOUSE_DATA"] for process in made.values()} == {str(places.data)}
    assert made["console"].environment["PILOTHOUSE_AIRFLOW_URL"] == "http://127.0.0.1:9080"
    connection = json.loads(made["airflow-scheduler"].environment["AIRFLOW_CONN_PILOTHOUSE_DBT_API"])
    assert connection["host"] == places.dbt_api.url
    assert connection["password"] == (places.secrets / "pilothouse_dbt_api_token").read_text()


def test_the_console_alone_goes_where_the_settings_say(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_AIRFLOW_URL", "https://airflow.example.com")
    monkeypatch.setenv("PILOTHOUSE_AIRFLOW_TOKEN", "theirs")
    alone = table(places, "console")["console"].environment
    assert alone["PILOTHOUSE_AIRFLOW_URL"] == "https://airflow.example.com"
    assert alone["PILOTHOUSE_AIRFLOW_TOKEN"] == "theirs"
    embedded = table(places)["console"].environment
    assert embedded["PILOTHOUSE_AIRFLOW_URL"] == "http://127.0.0.1:9080"
    assert "PILOTHOUSE_AIRFLOW_TOKEN" not in embedded


def test_tuning_may_be_overridden_but_wiring_may_not(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "32")
    monkeypatch.setenv("AIRFLOW_HOME", "/somebody/elses")
    environment = table(places)["airflow-scheduler"].environment
    assert environment["AIRFLOW__CORE__PARALLELISM"] == "32"
    assert environment["AIRFLOW_HOME"] == str(places.data / "airflow")


def test_airflows_database_is_migrated_once_for_a_lock_and_again_when_it_is_gone(places: Places) -> None:
    migration = table(places)["airflow-migration"]
    database = places.data / "airflow" / "airflow.db"
    database.touch()
    assert migration.when_done
    migration.when_done()
    assert "airflow-migration" not in table(places)
    database.unlink()
    assert "airflow-migration" in table(places)
