"""Names that two processes must derive alike."""

import re

import pytest

from contracts.dbt_api import TASK_ID_PATTERN
from contracts.names import PROJECT_NAME_PATTERN, dag_id_of, invocation_task_id, project_name_of


def test_a_dag_id_leads_back_to_its_project() -> None:
    assert project_name_of(dag_id_of("harbour")) == "harbour"
    assert project_name_of("somebody_elses_dag") is None


@pytest.mark.parametrize(
    "run", ["console__1", "scheduled__2026-01-01T00:00:00+00:00", "manual / ü ' \" ; run", "x" * 250], ids=len
)
def test_an_invocation_id_is_always_valid(run: str) -> None:
    assert re.match(TASK_ID_PATTERN, invocation_task_id("pilothouse__harbour", run, "dbt", 1))


def test_an_invocation_id_tells_runs_and_tries_apart() -> None:
    ids = {
        invocation_task_id(dag, run, "dbt", number)
        for dag in ("pilothouse__a", "pilothouse__b")
        for run in ("x:1", "x+1", "x" * 200 + "1", "x" * 200 + "2")
        for number in (1, 2)
    }
    assert len(ids) == 16


@pytest.mark.parametrize("name", ["", "a", "1a", "Shop", "a-b", "a b", "a;touch x", "../a", "a" * 51])
def test_names_that_dbt_or_airflow_would_refuse_do_not_match(name: str) -> None:
    assert not re.match(PROJECT_NAME_PATTERN, name)
