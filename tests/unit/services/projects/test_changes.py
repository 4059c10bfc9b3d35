"""Edit, duplicate, pause and delete, with Airflow away: what is kept, what is set back, what is said."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.names import dag_id_of
from contracts.operators import OperatorName
from models.project import Step, StepState
from models.run import Run
from models.run_state import RunState
from services import logs, projects
from services.database import session
from services.errors import BackendUnreachable, NotAllowed, NotFound
from services.projects import InvalidDraft, ProjectDraft, store
from services.projects.publishing import PUBLICATION, publication_of, published
from services.runs import history


def create(name: str = "shop", **values: Any) -> None:
    projects.create(ProjectDraft(name=name, owner="anna", **values), by="anna")


def complete(name: str = "shop") -> None:
    """Leave the project as it is after all steps."""
    project = projects.get_project(name)
    version = published(project).model_dump(mode="json")
    for step in Step:
        store.begin(project, step, "")
        store.finish(project, step, "done", {PUBLICATION: version} if step is Step.PUBLISHED else {})


def states(name: str = "shop") -> str:
    return " ".join(step.state.value for step in projects.steps_of(projects.get_project(name)))


def edit(name: str = "shop", **values: Any) -> None:
    draft = ProjectDraft.of(projects.get_project(name))
    projects.update(name, draft.model_copy(update=values), by="ben")


def add_run(name: str = "shop", state: RunState = RunState.SUCCEEDED) -> int:
    with session() as opened:
        run = Run(
            project=name,
            dag_id=dag_id_of(name),
            dag_run_id=f"run-{state}",
            state=state,
            operator=OperatorName.DBT_API,
            command="build",
        )
        opened.add(run)
    assert run.id
    return run.id


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "done done done done done"),
        ({"source": {"kind": "template", "warehouse": "postgres"}}, "done pending pending pending pending"),
        ({"target": "prod"}, "done done pending pending pending"),
        ({"schedule": "@daily"}, "done done done pending pending"),
        ({"owner": "ben"}, "done done done pending pending"),
        ({"retries": 2}, "done done done pending pending"),
    ],
)
def test_an_edit_sets_back_just_the_steps_it_concerns(values: dict[str, Any], expected: str) -> None:
    create()
    complete()
    edit(**values)
    assert states() == expected
    assert projects.steps_of(projects.get_project("shop"))[0].message == "Saved by ben."


def test_a_wrong_edit_changes_nothing() -> None:
    create()
    complete()
    with pytest.raises(InvalidDraft):
        edit(schedule="often", owner="ben")
    assert projects.get_project("shop").owner == "anna"
    assert states() == "done done done done done"


def test_a_name_cannot_be_changed_by_an_edit() -> None:
    create()
    draft = ProjectDraft.of(projects.get_project("shop"))
    projects.update("shop", draft.model_copy(update={"name": "other"}), by="ben")
    assert [each.name for each in projects.list_projects()] == ["shop"]


def test_an_edited_project_stays_published_as_it_was_until_it_is_published_anew() -> None:
    create(schedule="@daily")
    complete()
    edit(schedule="@hourly")
    version = publication_of(projects.get_project("shop"))
    assert version is not None
    assert version.schedule == "@daily"


def test_a_schedule_holds_from_the_moment_it_was_set() -> None:
    create(schedule="@daily")
    complete()
    before = publication_of(projects.get_project("shop"))
    assert before is not None
    early = before.model_copy(update={"start_date": datetime(2026, 1, 1, tzinfo=UTC)})
    store.finish(projects.get_project("shop"), Step.PUBLISHED, "done", {PUBLICATION: early.model_dump(mode="json")})
    edit(owner="ben")
    assert published(projects.get_project("shop")).start_date == early.start_date
    edit(schedule="@hourly")
    assert published(projects.get_project("shop")).start_date > early.start_date


def test_a_duplicate_has_everything_but_the_name_and_its_own_steps() -> None:
    create(schedule="@daily", description="books")
    complete()
    copy = projects.duplicate("shop", "shop_copy", by="ben")
    assert (copy.schedule, copy.description, copy.created_by) == ("@daily", "books", "ben")
    assert states("shop_copy") == "done pending pending pending pending"
    with pytest.raises(InvalidDraft, match="already"):
        projects.duplicate("shop", "shop_copy", by="ben")


def test_a_project_that_airflow_never_heard_of_is_paused_here() -> None:
    create()
    assert projects.set_paused("shop", True, by="ben").paused
    assert published(projects.get_project("shop")).paused
    assert not projects.set_paused("shop", False, by="ben").paused


def test_with_airflow_away_a_published_project_is_not_paused_by_halves() -> None:
    create()
    complete()
    with pytest.raises(BackendUnreachable):
        projects.set_paused("shop", True, by="ben")
    assert not projects.get_project("shop").paused


def test_a_project_with_runs_under_way_is_not_deleted() -> None:
    create()
    add_run(state=RunState.RUNNING)
    with pytest.raises(NotAllowed, match="1 run under way"):
        projects.delete("shop")
    assert projects.get_project("shop")


def test_a_deleted_project_keeps_its_history() -> None:
    create()
    run_id = add_run()
    projects.delete("shop")
    with pytest.raises(NotFound):
        projects.get_project("shop")
    assert history.get_run(run_id).project == "shop"
    create()
    assert states() == "done pending pending pending pending"


def test_history_goes_when_asked_for_with_its_logs_and_only_its_own() -> None:
    create()
    create("other")
    gone, kept = add_run(), add_run("other")
    for run_id in (gone, kept):
        logs.folder(run_id, "task").mkdir(parents=True)
    projects.delete("shop", with_history=True)
    with pytest.raises(NotFound):
        history.get_run(gone)
    assert not logs.folder(gone, "task").exists()
    assert history.get_run(kept)
    assert logs.folder(kept, "task").exists()


def test_with_airflow_away_a_published_project_is_not_deleted_and_says_so() -> None:
    create()
    complete()
    with pytest.raises(BackendUnreachable, match="Airflow"):
        projects.delete("shop")
    assert states() == "done done done done done"


def test_with_the_dbt_api_away_a_deletion_keeps_the_project_to_go_on_with() -> None:
    create()
    store.begin(projects.get_project("shop"), Step.SOURCE_READY, "")
    with pytest.raises(BackendUnreachable, match="dbt API"):
        projects.delete("shop")
    assert projects.steps_of(projects.get_project("shop"))[1].state is StepState.FAILED


@pytest.mark.usefixtures("dbt_api")
def test_what_the_dbt_api_made_goes_with_the_project(dbt_api_server: dict[str, str]) -> None:
    create()
    for _ in projects.advance("shop"):
        pass
    path = Path(projects.steps_of(projects.get_project("shop"))[1].detail["path"])
    assert path.is_dir()
    with session() as opened:  # as if Airflow had never been asked: it is away in these tests
        store.step_row(opened, projects.get_project("shop"), Step.PUBLISHED).started_at = None
    projects.delete("shop")
    assert not path.exists()


@pytest.mark.usefixtures("dbt_api")
def test_the_example_is_registered_once_and_stays_away_when_deleted() -> None:
    for _ in range(2):
        step = projects.register_example()
        assert step is not None
        assert (step.step, step.state) == (Step.PUBLISHED, StepState.FAILED)
    [example] = projects.list_projects()
    assert example.owner == "pilothouse"
    with session() as opened:
        store.step_row(opened, example, Step.PUBLISHED).started_at = None
    projects.delete(example.name)
    assert projects.register_example() is None
