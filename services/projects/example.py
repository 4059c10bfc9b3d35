"""Registers the example project that comes with Pilothouse, at the first start: once deleted, it stays away."""

import re
from pathlib import Path

from models.project import Project, ProjectStep, StepState
from services.errors import NotFound
from services.projects import store
from services.projects.advancing import advance
from services.projects.changes import create
from services.projects.draft import ProjectDraft
from services.settings import ROOT, settings

EXAMPLE = ROOT / "example"
OWNER = "pilothouse"


def register_example() -> ProjectStep | None:
    """Save the example, take it through its steps, and return the last one reached; None when somebody deleted it."""
    name = example_name()
    try:
        project = store.get_project(name)
    except NotFound:
        if _mark().exists():
            return None
        project = _created(name)
    for _ in advance(name):
        pass
    steps = store.steps_of(project)
    return next((step for step in steps if step.state is not StepState.DONE), steps[-1])


def example_name() -> str:
    """The name that the example's dbt_project.yml gives it."""
    found = re.search(r"^name:\s*['\"]?(\w+)", (EXAMPLE / "dbt_project.yml").read_text(), re.MULTILINE)
    assert found, "the example's dbt_project.yml names it"
    return found[1]


def _created(name: str) -> Project:
    draft = ProjectDraft(
        name=name,
        description="A harbour's books on DuckDB: the example that comes with Pilothouse.",
        owner=OWNER,
        source={"kind": "folder", "path": str(EXAMPLE)},
    )
    project = create(draft, by=OWNER)
    _mark().touch()
    return project


def _mark() -> Path:
    """Tells later starts that the example was registered once."""
    return settings().data / "example.registered"
