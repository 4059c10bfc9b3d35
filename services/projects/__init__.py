"""Projects: described in a form, taken through five steps to a DAG, edited, duplicated, paused, deleted."""

from services.projects.advancing import advance, start
from services.projects.changes import checked_new, create, duplicate, may_resume, set_paused, update
from services.projects.deleting import active_runs, delete, past_runs
from services.projects.draft import InvalidDraft, ProjectDraft, checked, problems_of
from services.projects.example import register_example
from services.projects.locks import is_changing
from services.projects.publishing import published
from services.projects.store import Summary, get_project, list_projects, nodes_of, steps_of, summaries
from services.projects.uploads import check_archive, keep_archive

__all__ = [
    "InvalidDraft",
    "ProjectDraft",
    "Summary",
    "active_runs",
    "advance",
    "check_archive",
    "checked",
    "checked_new",
    "create",
    "delete",
    "duplicate",
    "get_project",
    "is_changing",
    "keep_archive",
    "list_projects",
    "may_resume",
    "nodes_of",
    "past_runs",
    "problems_of",
    "published",
    "register_example",
    "set_paused",
    "start",
    "steps_of",
    "summaries",
    "update",
]
