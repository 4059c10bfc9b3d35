"""The DAGs folder as Airflow reads it."""

from pathlib import Path

import pytest

pytest.importorskip("airflow.sdk")

from contracts.published_project import PublishedProject, PublishedProjects

DAGS = Path(__file__).resolve().parents[3] / "dags"


def test_airflow_finds_the_factory_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag

    project = PublishedProject.model_validate({"name": "harbour", "start_date": "2026-01-01T00:00:00Z"})
    broken = project.model_copy(update={"name": "broken", "schedule": "99 * * * *"})
    variable = PublishedProjects([broken, project]).model_dump_json()
    monkeypatch.setenv("AIRFLOW_VAR_PILOTHOUSE_PROJECTS", variable)
    bag = DagBag(dag_folder=DAGS)
    assert bag.import_errors == {}
    assert set(bag.dags) == {"pilothouse_projects", "pilothouse__harbour"}
    assert {Path(stat.file).name for stat in bag.dagbag_stats} == {"pilothouse_projects.py"}


def test_without_a_list_there_is_the_anchor(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("AIRFLOW_VAR_PILOTHOUSE_PROJECTS", "[]")
    assert set(DagBag(dag_folder=DAGS).dags) == {"pilothouse_projects"}
