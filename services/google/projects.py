"""Which Google projects are watched: those of the settings, and those that projects and runs on GKE name.

A cluster that was made for a run must not outlive its time because nobody put its Google project into the settings.
"""

import re
from datetime import timedelta

from sqlmodel import col, func, select

from contracts.gke.names import PROJECT_ID
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
    in_conf = func.json_extract(col(Run.conf), "$.operator_parameters.project_id")
    in_parameters = func.json_extract(col(Project.operator_parameters), "$.project_id")
    lately = (Run.operator == OperatorName.GKE, col(Run.created_at) > now() - _REMEMBERED)
    with session() as opened:
        found = {
            *opened.exec(select(in_parameters).where(Project.operator == OperatorName.GKE).distinct()),
            *opened.exec(select(in_conf).where(*lately).distinct()),
        }
    named = {each for each in found if isinstance(each, str) and re.fullmatch(PROJECT_ID, each)}
    return (*configured, *sorted(named - set(configured)))
