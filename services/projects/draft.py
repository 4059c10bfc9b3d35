"""What a person says about a project, and every reason why it cannot be taken, each with its field."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from contracts.dbt_api import FolderSource, GitSource, ProjectSource
from contracts.executors import EXECUTORS, KUBERNETES_EXECUTOR, WorkerPod
from contracts.operators import OperatorName
from contracts.published_project import PublishedProject
from contracts.run_conf import DbtCommand
from models.project import Project
from models.types import now
from services import schedules
from services.errors import InvalidInput
from services.operators import operator
from services.refusals import sentence

_SOURCE: TypeAdapter[ProjectSource] = TypeAdapter(ProjectSource)
_SCP_STYLE = re.compile(r"^[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:\S+$")
_AIRFLOW_NAME = re.compile(r"^[^\s][^\r\n\t]{0,199}$")
_OPTIONAL = ("target", "queue", "schedule", "executor")
_SENTENCES = {
    "name": "Use 2 to 50 lower-case letters, digits and underscores, beginning with a letter.",
    "target": "A target is a word of letters, digits and underscores, as in profiles.yml.",
    "source.branch": "A branch name has letters, digits, dots, dashes, slashes and underscores.",
    "source.sha256": "Choose a zip or tar.gz archive of the dbt project.",
    "source.path": "Name the folder that holds dbt_project.yml.",
    "source.url": "Name the repository: an address that begins with https:// or ssh://, or git@host:path.",
    "operator_parameters.connection_id": "A connection id has letters, digits, dots, dashes and underscores.",
}


class ProjectDraft(BaseModel):
    """All that can be said about a project. Unchecked: see `problems_of`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    description: str = ""
    owner: str = ""
    source: dict[str, Any] = Field(default_factory=lambda: {"kind": "template", "warehouse": "duckdb"})
    operator: OperatorName = OperatorName.DBT_API
    operator_parameters: dict[str, Any] = Field(default_factory=dict)
    command: DbtCommand = DbtCommand.BUILD
    target: str | None = None
    threads: int | None = None
    schedule: str | None = None
    pool: str = "default_pool"
    queue: str | None = None
    executor: str | None = None
    worker_pod: dict[str, Any] = Field(default_factory=dict)
    retries: int | None = 0
    retry_delay_seconds: int | None = 60

    @classmethod
    def of(cls, project: Project) -> "ProjectDraft":
        """A saved project, as its owner described it."""
        return cls.model_validate({name: getattr(project, name) for name in cls.model_fields})


class InvalidDraft(InvalidInput):
    """A draft that cannot be taken. `problems` holds every reason by field, in the order of the form."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        field, message = next(iter(problems.items()))
        super().__init__(message, field=field)
        self.problems = dict(problems)


def checked(draft: ProjectDraft) -> ProjectDraft:
    """The draft as it will be stored: blanks stripped, empty options as None. Raises InvalidDraft."""
    tidy = _tidied(draft)
    if problems := problems_of(tidy):
        raise InvalidDraft(problems)
    return tidy.model_copy(
        update={
            "schedule": schedules.check(tidy.schedule),
            "source": _SOURCE.validate_python(tidy.source).model_dump(mode="json"),
            "operator_parameters": _parameters(tidy),
            "worker_pod": WorkerPod.model_validate(tidy.worker_pod).model_dump(mode="json", exclude_defaults=True),
        }
    )


def problems_of(draft: ProjectDraft) -> dict[str, str]:
    """What is wrong with a draft by itself, by field; whether its name is free is not asked here."""
    found: dict[str, str] = {}
    for check in (
        _check_published, _check_texts, _check_source, _check_parameters, _check_schedule, _check_worker_pod,
    ):  # fmt: skip
        for field, message in check(_tidied(draft)).items():
            found.setdefault(field, message)
    return found


def _tidied(draft: ProjectDraft) -> ProjectDraft:
    texts = {name: getattr(draft, name).strip() for name in ("name", "description", "owner", "pool")}
    options = {name: (getattr(draft, name) or "").strip() or None for name in _OPTIONAL}
    source = {key: value.strip() if isinstance(value, str) else value for key, value in draft.source.items()}
    return draft.model_copy(update={**texts, **options, "source": source})


def _check_published(draft: ProjectDraft) -> dict[str, str]:
    values = draft.model_dump(exclude={"source", "schedule", "worker_pod"}) | {"start_date": now()}
    return _collected(lambda: PublishedProject.model_validate(values))


def _check_texts(draft: ProjectDraft) -> dict[str, str]:
    found: dict[str, str] = {}
    if not draft.owner:
        found["owner"] = "Say who answers for this project: a person or a team."
    elif len(draft.owner) > 100:
        found["owner"] = "At most 100 characters."
    if len(draft.description) > 2000:
        found["description"] = "At most 2,000 characters."
    if not _AIRFLOW_NAME.match(draft.pool):
        found["pool"] = "Name one of Airflow's pools; default_pool always exists."
    if draft.queue and not _AIRFLOW_NAME.match(draft.queue):
        found["queue"] = "A queue is one word or name of at most 200 characters."
    if draft.threads is not None and not draft.command.takes_threads:
        found["threads"] = f"dbt {draft.command} takes no threads: leave this empty."
    return found


def _check_source(draft: ProjectDraft) -> dict[str, str]:
    kind = str(draft.source.get("kind"))
    found = _collected(lambda: _SOURCE.validate_python(draft.source), within="source", skip=kind)
    if found:
        return found
    source = _SOURCE.validate_python(draft.source)
    if isinstance(source, FolderSource) and not source.path.startswith(("/", "~")):
        return {"source.path": "Give the whole path on the dbt API's machine, beginning with a slash."}
    return _check_git(source) if isinstance(source, GitSource) else {}


def _check_git(source: GitSource) -> dict[str, str]:
    """The dbt API checks again; here so that the message stands beside the field before anything is stored."""
    parts = urlsplit(source.url)
    if parts.password or (parts.scheme in ("http", "https") and parts.username):
        return {
            "source.url": "The url holds a user name or password, which would be stored and shown. "
            "Give the dbt API's user a git credential helper or an ssh key instead."
        }
    is_known = parts.scheme in ("https", "ssh", "file") or source.url.startswith("/") or _SCP_STYLE.match(source.url)
    if not is_known or re.search(r"\s", source.url):
        return {"source.url": "Begin with https://, ssh:// or file://, or write git@host:path."}
    if source.subfolder.startswith("/") or ".." in source.subfolder.split("/"):
        return {"source.subfolder": "Give a folder inside the repository, without a leading slash."}
    return {}


def _check_parameters(draft: ProjectDraft) -> dict[str, str]:
    return _collected(lambda: _parameters(draft), within="operator_parameters")


def _parameters(draft: ProjectDraft) -> dict[str, Any]:
    model = operator(draft.operator).parameters
    return model.model_validate(draft.operator_parameters).model_dump(mode="json")


def _check_worker_pod(draft: ProjectDraft) -> dict[str, str]:
    found = _collected(lambda: WorkerPod.model_validate(draft.worker_pod), within="worker_pod")
    if found or WorkerPod.model_validate(draft.worker_pod).is_empty:
        return found
    if draft.executor in EXECUTORS and draft.executor != KUBERNETES_EXECUTOR:
        return {
            "executor": f"The {draft.executor} makes no worker pods: choose another, or empty the worker pod below."
        }
    return {}


def _check_schedule(draft: ProjectDraft) -> dict[str, str]:
    try:
        schedules.check(draft.schedule)
    except InvalidInput as error:
        return {"schedule": f"{error.message} {error.hint or ''}".strip()}
    return {}


def _collected(validate: Callable[[], object], *, within: str = "", skip: str = "") -> dict[str, str]:
    """The reasons of a pydantic refusal by field, in words."""
    try:
        validate()
    except ValidationError as refusal:
        found: dict[str, str] = {}
        for problem in refusal.errors():
            where = [str(part) for part in problem["loc"] if str(part) != skip]
            field = ".".join([within, *where] if within else where[:1])
            found.setdefault(field, _SENTENCES.get(field) or sentence(problem, where))
        return found
    return {}
