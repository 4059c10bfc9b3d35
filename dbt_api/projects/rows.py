"""Asks dbt for the rows of one test or model (`dbt show`): a failed test's rows, as they are now."""

import json

from contracts.dbt_api import Rows, RowsRequest
from dbt_api.projects.bundles import folder_of
from dbt_api.projects.dbt_answer import Answer, dbt_answer
from dbt_api.projects.problems import problems_of
from dbt_api.projects.profile import read_profile
from dbt_api.running.dbt_process import DbtCall, parse_cache
from dbt_api.tables import ProjectRow


def rows(project: ProjectRow, request: RowsRequest) -> Rows:
    """The rows of the node's query, by `dbt show`; dbt's words when it cannot run it."""
    path = folder_of(project)
    target = request.target or read_profile(path).default_target
    cache = parse_cache(project.name, target) if not request.vars else None
    with dbt_answer(DbtCall(project.name, path, _show(request), target, project.environment, cache)) as answer:
        shown = _shown(answer, request.unique_id)
        if shown is not None:
            return Rows(ok=True, rows=shown)
        said = [problem.message for problem in problems_of(answer.events) if problem.kind != "warning"]
        return Rows(ok=False, message="\n".join(said) or f"dbt shows no rows of {request.name}.")


def _show(request: RowsRequest) -> list[str]:
    words = ["show", "--select", request.name, "--limit", str(request.limit), "--output", "json"]
    words += ["--vars", json.dumps(request.vars)] if request.vars else []
    return words + (["--target", request.target] if request.target else [])


def _shown(answer: Answer, unique_id: str) -> list[dict[str, object]] | None:
    """What dbt showed of this node; another package may have one of the same name."""
    for event in answer.events:
        if event.name == "ShowNode" and event.unique_id == unique_id:
            found: list[dict[str, object]] = json.loads(event.data.get("preview") or "[]")
            return found
    return None
