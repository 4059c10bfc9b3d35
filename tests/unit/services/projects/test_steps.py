"""The steps against a real dbt API; Airflow is away, so each project ends at "published" at the latest."""

import io
import os
import socket
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.project import ProjectStep, Step, StepState
from services import projects
from services.connections import dbt_api as dbt_api_client
from services.database import session
from services.errors import NotAllowed
from services.projects import ProjectDraft, store, uploads
from services.projects.locks import changing
from services.settings import ROOT, settings

PROFILES = "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: ':memory:'}\n"
PROJECT = "name: shop\nversion: '1.0'\nprofile: shop\nmodel-paths: [models]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "shop"
    (made / "models").mkdir(parents=True)
    (made / "dbt_project.yml").write_text(PROJECT)
    (made / "profiles.yml").write_text(PROFILES)
    (made / "models" / "orders.sql").write_text("select 1 as id")
    return made


def create(source: dict[str, Any], **more: Any) -> str:
    return projects.create(ProjectDraft(name="shop", owner="anna", source=source, **more), by="anna").name


def run(name: str = "shop", **options: Any) -> dict[Step, ProjectStep]:
    for _ in projects.advance(name, **options):
        pass
    return {step.step: step for step in projects.steps_of(projects.get_project(name))}


def states(steps: dict[Step, ProjectStep]) -> list[str]:
    return [step.state.value for step in steps.values()]


@pytest.mark.usefixtures("dbt_api")
def test_an_upload_is_handed_over_as_often_as_needed_and_its_archive_is_forgotten_at_last(folder: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        file.add(folder, "shop")
    archive = packed.getvalue()
    source = uploads.source_of(archive, "it's <b>größe</b>.tar.gz")
    projects.keep_archive(archive)
    create(source.model_dump())
    for _ in range(2):
        steps = run(from_step=Step.SOURCE_READY)
        assert states(steps)[:3] == ["done", "done", "done"]
    assert [node.name for node in projects.nodes_of("shop")] == ["orders"]
    uploads.forget_unused()
    kept = settings().data / "uploads" / source.sha256
    assert kept.exists()
    site = dbt_api_client().docs_site("shop")
    assert "model.shop.orders" in site
    with session() as opened:
        opened.delete(store.row_of(opened, "shop"))
    uploads.forget_unused()
    assert kept.exists(), "somebody may be about to save it"
    os.utime(kept, (0, 0))
    uploads.forget_unused()
    assert not kept.exists()


@pytest.mark.usefixtures("dbt_api")
def test_a_hostile_upload_stops_at_its_step_with_the_reason() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("../../dbt_project.yml", "name: shop")
    projects.keep_archive(packed.getvalue())
    create(uploads.source_of(packed.getvalue(), "shop.zip").model_dump())
    steps = run()
    assert states(steps) == ["done", "failed", "pending", "pending", "pending"]
    assert "leads out of the project" in steps[Step.SOURCE_READY].message


@pytest.mark.usefixtures("dbt_api")
def test_a_template_is_parsed_and_waits_at_the_step_that_needs_airflow() -> None:
    create({"kind": "template", "warehouse": "duckdb"})
    steps = run()
    assert states(steps) == ["done", "done", "done", "failed", "pending"]
    assert "Cannot reach Airflow" in steps[Step.PUBLISHED].message
    assert "PILOTHOUSE_AIRFLOW_URL" in (steps[Step.PUBLISHED].hint or "")
    kinds = {node.resource_type for node in projects.nodes_of("shop")}
    assert {"model", "test", "seed"} <= kinds
    assert steps[Step.PARSED].detail["counts"]["model"] == 2
    project = projects.get_project("shop")
    assert (project.dbt_project_name, project.targets) == ("shop", ["dev"])


@pytest.mark.usefixtures("dbt_api")
def test_every_step_can_be_repeated_and_nothing_is_there_twice() -> None:
    create({"kind": "template", "warehouse": "duckdb"})
    first = run()
    nodes = [node.unique_id for node in projects.nodes_of("shop")]
    again = run(from_step=Step.SAVED)
    assert states(again) == states(first)
    assert [node.unique_id for node in projects.nodes_of("shop")] == nodes


def test_with_the_dbt_api_away_the_project_is_kept_and_goes_on_later(
    folder: Path, request: pytest.FixtureRequest
) -> None:
    create({"kind": "folder", "path": str(folder)})
    steps = run()
    assert states(steps) == ["done", "failed", "pending", "pending", "pending"]
    assert "cannot be reached" in steps[Step.SOURCE_READY].message
    request.getfixturevalue("dbt_api")
    assert states(run())[:3] == ["done", "done", "done"]


@pytest.mark.usefixtures("dbt_api")
@pytest.mark.parametrize(
    ("change", "words", "kind"),
    [
        (lambda f: (f / "models" / "orders.sql").write_text("select * from {{ ref('nowhere') }}"), "nowhere", None),
        (lambda f: (f / "models" / "orders.sql").write_text("select {{ 1"), "orders", "compilation"),
        (lambda f: (f / "profiles.yml").unlink(), "profile", "profile_missing"),
        (lambda f: (f / "models" / "schema.yml").write_text("models: [\n"), "schema.yml", "yaml"),
        (lambda f: _cycle(f), "ycle", "cycle"),
    ],
    ids=["unknown ref", "broken jinja", "missing profile", "broken yaml", "cyclic ref"],
)
def test_a_project_that_dbt_cannot_parse_says_why_at_its_step(
    folder: Path, change: Callable[[Path], object], words: str, kind: str | None
) -> None:
    change(folder)
    create({"kind": "folder", "path": str(folder)})
    steps = run()
    assert states(steps) == ["done", "done", "failed", "pending", "pending"]
    parsed = steps[Step.PARSED]
    assert words in parsed.message
    assert parsed.hint
    told = [problem["kind"] for problem in parsed.detail["problems"]]
    assert kind is None or kind in told


@pytest.mark.usefixtures("dbt_api")
def test_a_mended_project_goes_on_from_the_step_that_failed(folder: Path) -> None:
    _cycle(folder)
    create({"kind": "folder", "path": str(folder)})
    run()
    (folder / "models" / "customers.sql").write_text("select 1 as id")
    steps = run(from_step=Step.PARSED)
    assert steps[Step.PARSED].state is StepState.DONE
    assert {node.name for node in projects.nodes_of("shop")} == {"orders", "customers"}


@pytest.mark.usefixtures("dbt_api")
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"kind": "folder", "path": str(ROOT / "nowhere")}, "no folder"),
        ({"kind": "folder", "path": "/etc"}, "outside"),
        ({"kind": "git", "url": "https://no-such-host.invalid/x.git", "branch": "main"}, "no-such-host.invalid"),
        ({"kind": "git", "url": "https://127.0.0.1:9/x.git", "branch": "main"}, "cannot be reached"),
    ],
    ids=["missing folder", "forbidden folder", "unknown git host", "unreachable git host"],
)
def test_a_source_that_cannot_be_had_says_why_at_its_step(source: dict[str, Any], words: str) -> None:
    create(source)
    steps = run()
    assert states(steps) == ["done", "failed", "pending", "pending", "pending"]
    assert words in steps[Step.SOURCE_READY].message


@pytest.mark.usefixtures("dbt_api")
def test_a_git_branch_is_fetched_and_its_commit_known(folder: Path) -> None:
    def git(*words: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout

    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    create({"kind": "git", "url": f"file://{folder}", "branch": "main"})
    steps = run()
    assert steps[Step.PARSED].state is StepState.DONE
    assert projects.get_project("shop").git_sha == git("rev-parse", "HEAD").strip()

    draft = ProjectDraft.of(projects.get_project("shop"))
    projects.update("shop", draft.model_copy(update={"source": {**draft.source, "branch": "release"}}), by="anna")
    assert "no branch 'release'" in run()[Step.SOURCE_READY].message


def test_a_step_whose_console_died_is_shown_as_interrupted_and_can_be_repeated(folder: Path) -> None:
    create({"kind": "folder", "path": str(folder)})
    project = projects.get_project("shop")
    store.begin(project, Step.SOURCE_READY, "working")
    with changing("shop"):
        assert projects.steps_of(project)[1].state is StepState.RUNNING
    interrupted = projects.steps_of(project)[1]
    assert (interrupted.state, interrupted.message[:11]) == (StepState.FAILED, "Interrupted")
    assert "cannot be reached" in run()[Step.SOURCE_READY].message


def test_a_console_killed_in_a_step_leaves_a_project_that_can_go_on(folder: Path) -> None:
    create({"kind": "folder", "path": str(folder)})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        console = subprocess.Popen(
            [sys.executable, "-c", "from services import projects; list(projects.advance('shop'))"],
            cwd=ROOT,
            env=os.environ | {"PILOTHOUSE_DBT_API_URL": address},
        )
        asked, _ = silent.accept()  # it waits for the dbt API's answer
        assert projects.steps_of(projects.get_project("shop"))[1].state is StepState.RUNNING
        console.kill()
        console.wait()
        asked.close()
    interrupted = projects.steps_of(projects.get_project("shop"))[1]
    assert interrupted.message.startswith("Interrupted")
    assert "cannot be reached" in run()[Step.SOURCE_READY].message


def test_two_cannot_work_on_a_project_at_once(folder: Path) -> None:
    create({"kind": "folder", "path": str(folder)})
    first = projects.advance("shop")
    next(first)
    draft = ProjectDraft.of(projects.get_project("shop"))
    for attempt in (
        lambda: next(projects.advance("shop")),
        lambda: projects.delete("shop"),
        lambda: projects.update("shop", draft, by="ben"),
        lambda: projects.set_paused("shop", True, by="ben"),
    ):
        with pytest.raises(NotAllowed, match="being worked on"):
            attempt()
    first.close()
    assert not projects.is_changing("shop")


def test_an_unexpected_failure_ends_the_step_without_a_traceback(folder: Path) -> None:
    create({"kind": "folder", "path": str(folder)})
    with session() as opened:
        store.row_of(opened, "shop").source = {"kind": "folder", "path": 3}
    steps = run()
    assert steps[Step.SOURCE_READY].state is StepState.FAILED
    assert "Traceback" not in steps[Step.SOURCE_READY].message


def test_steps_started_in_the_background_go_on_without_the_caller(folder: Path) -> None:
    create({"kind": "folder", "path": str(folder)})
    projects.start("shop")
    with changing_when_free("shop"):
        assert projects.steps_of(projects.get_project("shop"))[1].state is StepState.FAILED


def changing_when_free(name: str) -> Any:
    while projects.is_changing(name):
        pass
    return changing(name)


def _cycle(folder: Path) -> None:
    (folder / "models" / "orders.sql").write_text("select * from {{ ref('customers') }}")
    (folder / "models" / "customers.sql").write_text("select * from {{ ref('orders') }}")
