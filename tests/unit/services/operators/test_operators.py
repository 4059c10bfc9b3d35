from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from contracts.operators import OperatorName
from models.project import Project
from services.operators import operator
from services.settings import settings

CLOSED_PORT = "http://127.0.0.1:9"


@pytest.fixture
def everything_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    values = {"DATA": str(tmp_path), "AIRFLOW_URL": CLOSED_PORT, "DBT_API_URL": CLOSED_PORT}
    for name, value in (values | {"AIRFLOW_PASSWORD": "unused", "DBT_API_TOKEN": "unused"}).items():
        monkeypatch.setenv(f"PILOTHOUSE_{name}", value)
    settings.cache_clear()
    yield
    settings.cache_clear()


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
