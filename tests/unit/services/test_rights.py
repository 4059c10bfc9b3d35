"""Who may change clusters, and that the services themselves ask."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from contracts.operators import OperatorName
from models.project import ProjectStep, Step, StepState
from models.run_state import RunState
from services import clusters, database, projects
from services.clusters.news import pod_news
from services.database import session
from services.errors import BackendUnreachable, NotAllowed
from services.projects import ProjectDraft
from services.projects.store import finish as finish_step
from services.rights import may_change_clusters
from services.runs import history, orders
from services.runs.launching import LaunchRequest
from services.settings import settings


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    monkeypatch.setenv("PILOTHOUSE_USER", "anna")
    monkeypatch.setenv("PILOTHOUSE_AIRFLOW_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PILOTHOUSE_AIRFLOW_PASSWORD", "unused")
    settings.cache_clear()
    database.engine.cache_clear()
    database.migrate()
    yield
    database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()


def name_people(monkeypatch: pytest.MonkeyPatch, people: str) -> None:
    monkeypatch.setenv("PILOTHOUSE_CLUSTER_ADMINS", people)
    settings.cache_clear()


def test_alone_on_a_machine_one_may_and_a_person_who_signed_in_may_not() -> None:
    assert may_change_clusters("anna")
    assert not may_change_clusters("bert@example.com")


def test_a_list_says_who_may_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    name_people(monkeypatch, "bert@example.com, carla@example.com")
    assert [may_change_clusters(who) for who in ("bert@example.com", "carla@example.com", "anna", "")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_the_services_refuse_whoever_the_page_let_through() -> None:
    clusters.register("main", kubeconfig="/etc/kubeconfig", context=None, by="anna")
    with pytest.raises(NotAllowed):
        clusters.register("other", kubeconfig="/etc/kubeconfig", context=None, by="bert@example.com")
    with pytest.raises(NotAllowed):
        clusters.forget("main", by="bert@example.com")
    pod = clusters.PodSummary.of(pod_news({"metadata": {"name": "p", "namespace": "n", "uid": "u"}}))
    with pytest.raises(NotAllowed, match="not change them"):
        clusters.delete_left_over("main", pod, by="bert@example.com")
    assert [cluster.name for cluster in clusters.clusters()] == ["main"]


def draft(cluster_mode: str, **changes: Any) -> ProjectDraft:
    """A project on GKE."""
    parameters = {"project_id": "harbour-prod", "location": "europe-west1", "image": "dbt:1", "cluster_name": "dbt"}
    parameters["cluster_mode"] = cluster_mode
    values = {"name": "harbour", "owner": "anna", "operator": OperatorName.GKE, "operator_parameters": parameters}
    return ProjectDraft.model_validate({**values, **changes})


def saved(project: ProjectDraft, *, by: str) -> None:
    """The project, as if all its steps were done."""
    projects.create(project, by=by)
    with session() as opened:
        for step in opened.exec(select(ProjectStep).where(ProjectStep.step == Step.KNOWN_TO_AIRFLOW)):
            step.state = StepState.DONE
            opened.add(step)


def launch(by: str) -> None:
    orders.launch("harbour", LaunchRequest(), launch_key=by, by=by)


def test_who_may_not_make_clusters_makes_none_by_launching_or_repeating_a_run() -> None:
    saved(draft("ephemeral"), by="anna")
    with pytest.raises(NotAllowed, match="makes a cluster in Google"):
        launch("bert@example.com")
    assert history.list_runs().runs == []
    with pytest.raises(BackendUnreachable):
        launch("anna")
    [run] = history.list_runs().runs
    assert run.state is RunState.FAILED
    with pytest.raises(NotAllowed, match="makes a cluster in Google"):
        orders.retry(run.id or 0, by="bert@example.com", launch_key="again", only_unfinished=False)


def test_on_a_cluster_that_exists_everybody_may_launch() -> None:
    saved(draft("existing"), by="bert@example.com")
    with pytest.raises(BackendUnreachable):
        launch("bert@example.com")


def test_who_may_not_make_clusters_saves_no_project_whose_runs_do_nor_schedules_one() -> None:
    with pytest.raises(NotAllowed):
        projects.create(draft("ephemeral"), by="bert@example.com")
    projects.create(draft("existing"), by="bert@example.com")
    with pytest.raises(NotAllowed):
        projects.update("harbour", draft("ephemeral"), by="bert@example.com")
    projects.update("harbour", draft("ephemeral"), by="anna")
    with pytest.raises(NotAllowed):
        projects.update("harbour", draft("ephemeral", schedule="* * * * *"), by="bert@example.com")
    projects.update("harbour", draft("ephemeral", description="What the ships bring."), by="bert@example.com")
    with pytest.raises(NotAllowed):
        projects.duplicate("harbour", "quay", by="bert@example.com")


def test_who_may_not_make_clusters_resumes_no_project_whose_runs_do() -> None:
    projects.create(draft("ephemeral", schedule="* * * * *"), by="anna")
    projects.set_paused("harbour", True, by="bert@example.com")
    with pytest.raises(NotAllowed, match="makes a cluster in Google"):
        projects.set_paused("harbour", False, by="bert@example.com")
    assert projects.get_project("harbour").paused
    assert not projects.set_paused("harbour", False, by="anna").paused


def test_an_edit_that_airflow_was_not_told_of_opens_no_way_to_a_cluster() -> None:
    projects.create(draft("ephemeral", schedule="* * * * *"), by="anna")
    projects.set_paused("harbour", True, by="anna")
    told = projects.published(projects.get_project("harbour")).model_dump(mode="json")
    finish_step(projects.get_project("harbour"), Step.PUBLISHED, "", {"publication": told})
    projects.update("harbour", draft("existing", schedule="* * * * *"), by="bert@example.com")
    with pytest.raises(NotAllowed, match="makes a cluster in Google"):
        projects.set_paused("harbour", False, by="bert@example.com")
