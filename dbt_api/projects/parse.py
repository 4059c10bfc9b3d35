"""Asks dbt what is in a project (`dbt parse`) and which nodes a selection means (`dbt ls`)."""

import json
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from contracts.dbt_api import ParsedNode, ParsedProject, ParseProblem, Preview, PreviewNode, PreviewRequest
from contracts.run_conf import DbtCommand, RunConf
from dbt_api.projects import manifests
from dbt_api.projects.bundles import folder_of
from dbt_api.projects.dbt_answer import Answer, dbt_answer
from dbt_api.projects.problems import plain_text, problem_of, problems_of
from dbt_api.projects.profile import project_name, read_profile
from dbt_api.running.dbt_process import DbtCall, installed, parse_cache
from dbt_api.tables import ProjectRow

COLLECTIONS = ("nodes", "sources", "exposures", "unit_tests")
RUNNABLE = ("model", "test", "unit_test", "seed", "snapshot")
KINDS: dict[DbtCommand, tuple[str, ...]] = {
    DbtCommand.BUILD: RUNNABLE,
    DbtCommand.RUN: ("model",),
    DbtCommand.TEST: ("test", "unit_test"),
    DbtCommand.SEED: ("seed",),
    DbtCommand.SNAPSHOT: ("snapshot",),
    DbtCommand.COMPILE: (*RUNNABLE, "analysis"),
    DbtCommand.DOCS_GENERATE: (*RUNNABLE, "analysis"),
    DbtCommand.SOURCE_FRESHNESS: ("source",),
}
"""What each command touches of what a selection holds; the commands not named touch all."""


def parse(project: ProjectRow, *, target: str | None = None) -> ParsedProject:
    """The project as dbt reads it. One that doesn't parse is an answer with problems."""
    path = folder_of(project)
    profile = read_profile(path)
    chosen = target or profile.default_target
    words = ["parse", *(["--target", target] if target else [])]
    cache = parse_cache(project.name, chosen)
    with dbt_answer(DbtCall(project.name, path, words, chosen, project.environment, cache)) as answer:
        nodes = list(_nodes(_manifest(answer))) if answer.exit_code == 0 else []
        problems = [*_cycles(nodes), *problems_of(answer.events)]
        is_good = answer.exit_code == 0 and all(problem.kind == "warning" for problem in problems)
        if is_good:
            manifests.keep(project.name, chosen, answer.folder / "target", git_sha=project.git_sha)
        return ParsedProject(
            ok=is_good,
            dbt_version=installed(project.environment).get("core"),
            dbt_project_name=project_name(path),
            adapter=(profile.adapters or {}).get(chosen),
            target=chosen if profile.targets else None,
            targets=profile.targets,
            git_sha=project.git_sha,
            nodes=nodes,
            problems=problems,
        )


def preview(project: ProjectRow, request: PreviewRequest) -> Preview:
    """The nodes of a selection, by `dbt ls`; dbt's words when it is wrong."""
    path = folder_of(project)
    target = request.target or read_profile(path).default_target
    cache = parse_cache(project.name, target) if not request.vars else None
    with dbt_answer(DbtCall(project.name, path, _ls(request), target, project.environment, cache)) as answer:
        if answer.exit_code != 0:
            said = [problem.message for problem in problems_of(answer.events) if problem.kind != "warning"]
            message = "\n".join(said) or "dbt could not list the selection."
            return Preview(ok=False, argv=_argv(request), message=message)
        nodes = _listed(answer)
        return Preview(
            ok=True,
            argv=_argv(request),
            unique_ids=[node.unique_id for node in nodes],
            nodes=nodes,
            message=_doubt(answer),
        )


def _argv(request: PreviewRequest) -> list[str]:
    """The command that an invocation of this selection would send."""
    chosen = request.model_dump(include={"command", "select", "exclude", "vars", "target"})
    return ["dbt", *RunConf.model_construct(**chosen).dbt_arguments()]


def _cycles(nodes: list[ParsedNode]) -> list[ParseProblem]:
    """`dbt parse` lets a circle of refs pass, and every run would then fail on it."""
    try:
        TopologicalSorter({node.unique_id: node.depends_on for node in nodes}).prepare()
    except CycleError as error:
        circle = " --> ".join(error.args[1])
        files = {node.unique_id: node.path for node in nodes}
        return [problem_of(f"Found a cycle: {circle}").model_copy(update={"file": files.get(error.args[1][0])})]
    return []


def _ls(request: PreviewRequest) -> list[str]:
    words = ["ls", "--output", "json", "--output-keys", "unique_id name resource_type original_file_path"]
    for kind in KINDS.get(request.command, ()):
        words += ["--resource-type", kind]
    words += ["--select", *request.select] if request.select else []
    words += ["--exclude", *request.exclude] if request.exclude else []
    words += ["--vars", json.dumps(request.vars)] if request.vars else []
    return words + (["--target", request.target] if request.target else [])


def _listed(answer: Answer) -> list[PreviewNode]:
    printed = [event.message for event in answer.events if event.name in ("PrintEvent", "")]  # v2 leaves names empty
    found = [json.loads(line) for line in printed if line.startswith('{"unique_id":')]
    return [PreviewNode(**node, path=node.get("original_file_path") or "") for node in found]


def _doubt(answer: Answer) -> str | None:
    said = [plain_text(event.message) for event in answer.events if event.name == "NoNodesForSelectionCriteria"]
    return "\n".join(said) or None


def _manifest(answer: Answer) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((answer.folder / "target" / "manifest.json").read_text())
    return read


def _nodes(manifest: dict[str, Any]) -> Iterator[ParsedNode]:
    own = manifest["metadata"].get("project_name")
    macros = {key: each for key, each in manifest["macros"].items() if each["package_name"] == own}
    for collection in [*(manifest.get(name) or {} for name in COLLECTIONS), macros]:
        for unique_id, node in collection.items():
            yield parsed_node(unique_id, node)


def parsed_node(unique_id: str, node: dict[str, Any]) -> ParsedNode:
    """A node of manifest.json as we show it. Keys that a version of dbt leaves out are empty."""
    return ParsedNode(
        unique_id=unique_id,
        name=node["name"],
        resource_type=node.get("resource_type") or unique_id.split(".", 1)[0],
        package=node.get("package_name") or "",
        path=node.get("original_file_path") or "",
        tags=node.get("tags") or [],
        materialized=(node.get("config") or {}).get("materialized"),
        description=node.get("description") or "",
        depends_on=(node.get("depends_on") or {}).get("nodes") or [],
    )
