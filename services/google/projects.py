"""Which Google projects are watched: those of the settings, and those that projects and runs on GKE name.

A cluster that was made for a run must not outlive its time because nobody put its Google project into the settings.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlmodel import col, select

from contracts.gke_names import PROJECT_ID
from contracts.operators import OperatorName
from models.project import Project
from models.run import Run
from models.types import now
from services.database import session
from services.settings import settings

_REMEMBERED = timedelta(days=8)
"""Longer than any cluster of a run may live."""


def watched_projects() -> tuple[str, ...]:
    """Their ids: first those of the settings in their order, then the others by name."""
    configured = settings().projects_in_google
    with session() as opened:
        of_projects = opened.exec(select(Project.operator_parameters).where(Project.operator == OperatorName.GKE))
        here = select(Run.conf).where(Run.operator == OperatorName.GKE, col(Run.created_at) > now() - _REMEMBERED)
        of_runs = [conf.get("operator_parameters") or {} for conf in opened.exec(here)]
        named = set(_ids([*of_projects, *of_runs]))
    return (*configured, *sorted(named - set(configured)))


def _ids(parameters: Iterable[dict[str, Any]]) -> Iterable[str]:
    for each in parameters:
        project_id = each.get("project_id")
        if isinstance(project_id, str) and re.fullmatch(PROJECT_ID, project_id):
            yield project_id
