"""Projects all the way to a real Airflow, through the same functions that the pages call."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from contracts.names import dag_id_of
from models.project import Step, StepState
from services import projects
from services.airflow import Airflow
from services.errors import NotFound
from services.projects import ProjectDraft
from services.projects.publishing import publication_of
from tests.stack.harness import Stack


@pytest.fixture
def quay(as_console: Stack) -> Iterator[str]:
    """A published project, deleted afterwards."""
    draft = ProjectDraft(name="quay", owner="O'Brien <b>", description="“Ships” & 🚢", schedule="0 6 * * 1-5")
    projects.create(draft, by="anna")
    yield finish("quay")
    if projects.list_projects("quay"):
        projects.delete("quay")


def finish(name: str) -> str:
    for _ in projects.advance(name):
        pass
    told = {step.step: (step.state, step.message, step.hint) for step in steps(name)}
    assert all(state is StepState.DONE for state, _, _ in told.values()), told
    return name


def steps(name: str) -> list[Any]:
    return projects.steps_of(projects.get_project(name))


def version_in_airflow(name: str) -> None:
    """Fails unless Airflow shows the published version now."""
    version = publication_of(projects.get_project(name))
    assert version is not None
    Airflow.from_settings().wait_until_known(version, timeout_seconds=1)


def edit(name: str, **values: Any) -> None:
    draft = ProjectDraft.of(projects.get_project(name))
    projects.update(name, draft.model_copy(update=values), by="ben")


def test_a_project_becomes_a_dag_by_rest_alone(quay: str) -> None:
    version_in_airflow(quay)
    assert [step.detail["dag_id"] for step in steps(quay) if step.step is Step.KNOWN_TO_AIRFLOW] == [dag_id_of(quay)]


def test_an_edit_reaches_airflow_and_other_projects_stay_as_they_were(quay: str) -> None:
    copy = projects.duplicate(quay, "quay_copy", by="ben")
    finish(copy.name)
    edit(quay, schedule="@hourly")
    assert [step.state for step in steps(quay)[:3]] == [StepState.DONE] * 3
    finish(quay)
    version_in_airflow(quay)
    version_in_airflow(copy.name)
    projects.delete(copy.name)
    version_in_airflow(quay)


def test_pausing_reaches_airflow_and_survives_publishing(as_console: Stack, quay: str) -> None:
    projects.set_paused(quay, True, by="ben")
    assert _is_paused(as_console, quay)
    for _ in projects.advance(quay, from_step=Step.PUBLISHED):
        pass
    assert _is_paused(as_console, quay)
    projects.set_paused(quay, False, by="ben")
    assert not _is_paused(as_console, quay)


def test_pausing_a_project_that_is_being_edited_publishes_nothing_else(as_console: Stack, quay: str) -> None:
    edit(quay, schedule="@hourly")
    projects.set_paused(quay, True, by="ben")
    assert _is_paused(as_console, quay)
    version = publication_of(projects.get_project(quay))
    assert version is not None
    assert (version.schedule, version.paused) == ("0 6 * * 1-5", True)
    finish(quay)
    assert _is_paused(as_console, quay)


def test_a_pool_that_airflow_has_not_is_refused_before_publishing(quay: str) -> None:
    edit(quay, pool="nowhere")
    for _ in projects.advance(quay):
        pass
    published = steps(quay)[3]
    assert published.state is StepState.FAILED
    assert "no pool 'nowhere'" in published.message
    assert "default_pool" in published.hint
    version_in_airflow(quay)
    edit(quay, pool="default_pool")
    finish(quay)


def test_a_deleted_project_leaves_airflow_and_may_come_back(as_console: Stack, quay: str) -> None:
    projects.delete(quay)
    with pytest.raises(NotFound):
        projects.get_project(quay)
    assert _dag(as_console, quay) is None
    projects.create(ProjectDraft(name=quay, owner="anna"), by="anna")
    finish(quay)
    version_in_airflow(quay)


def _dag(stack: Stack, name: str) -> dict[str, Any] | None:
    """What Airflow itself says of the project's DAG."""
    login = {"username": stack.airflow_user, "password": stack.airflow_password}
    token = requests.post(f"{stack.airflow_url}/auth/token", json=login, timeout=30).json()["access_token"]
    signed_in = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{stack.airflow_url}/api/v2/dags/{dag_id_of(name)}", headers=signed_in, timeout=30)
    found: dict[str, Any] = answer.json()
    return found if answer.ok else None


def _is_paused(stack: Stack, name: str) -> bool:
    dag = _dag(stack, name)
    assert dag is not None
    return bool(dag["is_paused"])
