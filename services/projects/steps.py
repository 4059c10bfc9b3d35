"""The five steps from a saved form to a DAG. Each is safe to repeat, and raises PilothouseError when it cannot be done.

A step returns what to say about it and what it learnt.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter

from contracts.dbt_api import ParsedProject, ParseProblem, ProjectSource, RegisteredProject, UploadSource
from contracts.names import dag_id_of
from models.project import Project, Step
from services.airflow import Airflow
from services.connections import dbt_api
from services.database import session
from services.errors import NotAllowed, PilothouseError
from services.operators import operator
from services.projects import store
from services.projects.draft import ProjectDraft, checked
from services.projects.publishing import PUBLICATION, publication_of, publish
from services.projects.uploads import find_archive
from services.settings import settings

Learnt = tuple[str, dict[str, Any]]

KNOWN_WITHIN_SECONDS = 60
_SOURCE: TypeAdapter[ProjectSource] = TypeAdapter(ProjectSource)
_MAKING = {
    "template": "The dbt API writes the new project's files.",
    "folder": "The dbt API looks at the folder.",
    "git": "The dbt API fetches the branch from {url}.",
    "upload": "The dbt API unpacks {filename}.",
}


class DoesNotParse(PilothouseError):
    """dbt cannot read the project; `detail` holds all that it said."""

    def __init__(self, parsed: ParsedProject) -> None:
        errors = [problem for problem in parsed.problems if problem.kind != "warning"]
        first = errors[0] if errors else ParseProblem(kind="other", message="dbt gives no reason.")
        where = f" ({first.file})" if first.file and first.file not in first.message else ""
        more = f" And {len(errors) - 1} more, below." if len(errors) > 1 else ""
        super().__init__(f"dbt cannot parse the project{where}: {first.message}{more}", hint=first.hint)
        self.detail = _detail_of(parsed)


def waiting_for(project: Project, step: Step) -> str:
    """What a running step waits for."""
    match step:
        case Step.SAVED:
            return "Looking over the settings."
        case Step.SOURCE_READY:
            return _MAKING[project.source["kind"]].format_map(project.source)
        case Step.PARSED:
            return "dbt reads the project on the dbt API."
        case Step.PUBLISHED:
            return "Checking the operator, then telling Airflow of the project."
        case Step.KNOWN_TO_AIRFLOW:
            version = publication_of(project)
            mark = f", version {version.fingerprint}" if version else ""
            return f"Waiting until Airflow shows the DAG {dag_id_of(project.name)}{mark}. Usually this takes seconds."


def save(project: Project) -> Learnt:
    """Check what is stored by today's rules: an older version may have taken what this one refuses."""
    checked(ProjectDraft.of(project))
    return "All settings are valid.", {}


def make_source_ready(project: Project) -> Learnt:
    """Let the dbt API write, find, fetch or unpack the files."""
    ready = _register(project.name, _SOURCE.validate_python(project.source))
    with session() as opened:
        store.row_of(opened, project.name).git_sha = ready.git_sha
    commit = f", commit {ready.git_sha[:10]}" if ready.git_sha else ""
    return f"The files are in {ready.path}{commit}.", {"path": ready.path, "git_sha": ready.git_sha}


def _register(name: str, source: ProjectSource) -> RegisteredProject:
    archive = find_archive(source) if isinstance(source, UploadSource) else None
    if isinstance(source, UploadSource) and archive is not None:
        return dbt_api().upload_project(name, archive, filename=source.filename)
    return dbt_api().register_project(name, source)


def parse(project: Project) -> Learnt:
    """Let dbt read the project, and keep the nodes that it found. Raises DoesNotParse."""
    parsed = dbt_api().parse_project(project.name, target=project.target)
    if not parsed.ok:
        raise DoesNotParse(parsed)
    with session() as opened:
        row = store.row_of(opened, project.name)
        row.dbt_project_name, row.targets = parsed.dbt_project_name, parsed.targets
        store.keep_nodes(opened, row, parsed.nodes)
    detail = _detail_of(parsed)
    return f"dbt {parsed.dbt_version or ''} found {_counted(detail['counts'])}.", detail


def publish_to_airflow(project: Project) -> Learnt:
    """Ask the operator whether it can run the project, then tell Airflow. Raises NotAllowed with the first reason."""
    checks = operator(project.operator).preflight(project)
    refusal = next((check for check in checks if check.passed is False), None)
    if refusal:
        raise NotAllowed(refusal.message, hint=refusal.hint)
    version = publish(project)
    told = [{"title": check.title, "passed": check.passed, "message": check.message} for check in checks]
    return f"Airflow was told version {version.fingerprint}.", {
        "checks": told,
        PUBLICATION: version.model_dump(mode="json"),
    }


def wait_for_airflow(project: Project) -> Learnt:
    """Wait until Airflow shows this very version, then set its pause switch as ours."""
    version = publication_of(project)
    if version is None:
        raise NotAllowed("The project has not been published.", hint="Try again from the step before.")
    airflow = Airflow.from_settings()
    airflow.wait_until_known(version, timeout_seconds=KNOWN_WITHIN_SECONDS)
    airflow.set_paused(version.dag_id, project.paused)
    link = f"{settings().airflow_link}/dags/{version.dag_id}"
    return f"Airflow has the DAG {version.dag_id}.", {"dag_id": version.dag_id, "link": link}


RUN: dict[Step, Callable[[Project], Learnt]] = {
    Step.SAVED: save,
    Step.SOURCE_READY: make_source_ready,
    Step.PARSED: parse,
    Step.PUBLISHED: publish_to_airflow,
    Step.KNOWN_TO_AIRFLOW: wait_for_airflow,
}


def _detail_of(parsed: ParsedProject) -> dict[str, Any]:
    return {
        "dbt_version": parsed.dbt_version,
        "adapter": parsed.adapter,
        "target": parsed.target,
        "counts": dict(Counter(node.resource_type for node in parsed.nodes)),
        "problems": [problem.model_dump(mode="json") for problem in parsed.problems],
    }


def _counted(counts: dict[str, int]) -> str:
    told = {kind: counts.get(kind, 0) for kind in ("model", "test", "source")}
    told |= {kind: counts[kind] for kind in ("seed", "snapshot") if counts.get(kind)}
    return ", ".join(f"{number} {kind if number == 1 else kind + 's'}" for kind, number in told.items())
