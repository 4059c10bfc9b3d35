from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from contracts.operators import OperatorName
from models.project import Project
from services import capacity
from services.database import engine, migrate
from services.operators import operator
from services.settings import settings
from tests.unit.services.capacity.test_reasons import capacity as made

CLOSED_PORT = "http://127.0.0.1:9"


@pytest.fixture
def everything_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    values = {"DATA": str(tmp_path), "AIRFLOW_URL": CLOSED_PORT, "DBT_API_URL": CLOSED_PORT}
    for name, value in (values | {"AIRFLOW_PASSWORD": "unused", "DBT_API_TOKEN": "unused"}).items():
        monkeypatch.setenv(f"PILOTHOUSE_{name}", value)
    settings.cache_clear()
    engine.cache_clear()
    yield
    settings.cache_clear()
    engine.cache_clear()


def project(name: OperatorName) -> Project:
    return Project(name="shop", owner="anna", source={}, operator=name, created_by="anna")


@pytest.mark.parametrize("name", list(OperatorName))
def test_every_operator_can_be_weighed(name: OperatorName) -> None:
    offered = operator(name)
    assert offered.name is name
    assert offered.label
    assert offered.description.endswith(".")
    assert all(sentence.endswith(".") for sentence in asdict(offered.advice).values())


@pytest.mark.usefixtures("everything_away")
def test_the_dbt_api_operator_tells_each_system_that_is_away() -> None:
    checks = {check.title: check for check in operator(OperatorName.DBT_API).preflight(project(OperatorName.DBT_API))}
    assert checks["dbt API"].passed is False
    assert checks["Airflow"].passed is False
    assert checks["Airflow connection"].passed is None
    assert all(check.hint for check in checks.values() if check.passed is False)


@pytest.mark.usefixtures("everything_away")
def test_an_executor_is_looked_for_among_those_that_airflow_was_last_known_to_have() -> None:
    migrate()
    asks = Project(name="shop", owner="anna", source={}, executor="KubernetesExecutor", created_by="anna")

    def found() -> bool | None:
        checks = operator(OperatorName.DBT_API).preflight(asks)
        return next(check.passed for check in checks if check.title == "Airflow executor")

    assert found() is None
    capacity.keep(made(executors=["LocalExecutor"]))
    assert found() is False
    capacity.keep(made(executors=["LocalExecutor", "airflow.providers.x.KubernetesExecutor"]))
    assert found() is True
    engine().dispose()
