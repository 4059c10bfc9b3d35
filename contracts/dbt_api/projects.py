"""A dbt project on the dbt API: its source, what dbt finds in it, what a selection of its nodes means."""

import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from contracts.names import PROJECT_NAME_PATTERN
from contracts.run_conf import DbtCommand, Identifier, Selector

VARS_LIMIT = 100_000
"""Characters of the vars as JSON: they become one argument of a process, and Linux takes at most 128 KiB in one."""

ProjectName = Annotated[str, StringConstraints(pattern=PROJECT_NAME_PATTERN)]


class Warehouse(StrEnum):
    """Warehouses that a project template knows."""

    DUCKDB = "duckdb"
    POSTGRES = "postgres"
    BIGQUERY = "bigquery"
    SNOWFLAKE = "snowflake"
    REDSHIFT = "redshift"
    DATABRICKS = "databricks"


class TemplateSource(BaseModel):
    """A new project that the server writes from a template."""

    kind: Literal["template"] = Field(default="template", description="The kind of source.")
    warehouse: Warehouse = Field(default=Warehouse.DUCKDB, description="Whose profile it gets.")


class FolderSource(BaseModel):
    """A folder on the dbt API server's machine, used where it lies."""

    kind: Literal["folder"] = Field(default="folder", description="The kind of source.")
    path: str = Field(min_length=1, description="Absolute, below one of the server's FOLDER_ROOTS.")


class GitSource(BaseModel):
    """A git repository, cloned by the server. The url must carry no password: it is stored and shown."""

    kind: Literal["git"] = Field(default="git", description="The kind of source.")
    url: str = Field(min_length=1, max_length=2000, description="https://, ssh://, file:// or git@host:path.")
    branch: str = Field(default="main", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,200}$", description="Its tip is used.")
    subfolder: str = Field(default="", description="Of the dbt project in the repository; its top if empty.")


class UploadSource(BaseModel):
    """An archive that was uploaded (PUT /api/v1/projects/{name}/upload), known by its content."""

    kind: Literal["upload"] = Field(default="upload", description="The kind of source.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the archive's bytes, in lower-case hex.")
    filename: str = Field(default="", max_length=200, description="What the archive was called; shown, never used.")


ProjectSource = Annotated[TemplateSource | FolderSource | GitSource | UploadSource, Field(discriminator="kind")]


class RegisterProject(BaseModel):
    """Body of PUT /api/v1/projects/{name}: make the project's files ready. Safe to repeat."""

    source: ProjectSource = Field(description="Where its files come from.")
    environment: str = Field(
        default="default",
        max_length=100,
        description="Name of the dbt environment (setting ENVIRONMENTS) that runs it.",
    )


class RegisteredProject(BaseModel):
    """A project that the dbt API can run."""

    name: str = Field(description="Its name on the dbt API.")
    source: ProjectSource = Field(description="Where its files come from.")
    path: str = Field(description="The dbt project folder on the server.")
    environment: str = Field(default="default", description="The dbt environment that runs it.")
    git_sha: str | None = Field(default=None, description="The commit that is in place; null outside of git.")
    bundle: str | None = Field(default=None, description="SHA-256 of the files that all hosts fetch, if they do.")
    updated_at: datetime = Field(description="When its files were last made ready, UTC.")


class Commit(BaseModel):
    """One commit of a project's repository."""

    sha: str = Field(description="The whole hash.")
    author: str = Field(description="Name of who wrote it.")
    at: datetime = Field(description="When it was committed.")
    subject: str = Field(description="First line of its message.")


class Commits(BaseModel):
    """What was committed after one commit and up to another, newest first."""

    commits: list[Commit] = Field(description="The newest 100 at most.")
    complete: bool = Field(description="False when there are more, or when the earlier commit was not found.")


class ParsedNode(BaseModel):
    """One node of a parsed project: model, test, seed, snapshot, source, exposure, macro (of the project itself)."""

    unique_id: str = Field(description="dbt's id, e.g. model.shop.orders.")
    name: str = Field(description="dbt's name of it.")
    resource_type: str = Field(description="model, test, unit_test, seed, snapshot, source, …")
    package: str = Field(default="", description="The dbt package that it belongs to.")
    path: str = Field(default="", description="File below the project folder.")
    tags: list[str] = Field(default_factory=list, description="Its tags.")
    materialized: str | None = Field(default=None, description="table, view, incremental, …")
    description: str = Field(default="", description="From the project's YAML.")
    depends_on: list[str] = Field(default_factory=list, description="unique_ids of what it reads.")


class ParseProblem(BaseModel):
    """Something that keeps a project from parsing, or a warning."""

    kind: Literal[
        "profile_missing",
        "adapter_missing",
        "cycle",
        "compilation",
        "yaml",
        "dependency",
        "not_a_project",
        "warning",
        "other",
    ] = Field(description="What sort of problem.")
    message: str = Field(description="dbt's words.")
    hint: str | None = Field(default=None, description="What to try.")
    file: str | None = Field(default=None, description="File below the project folder, where dbt names one.")


class ParsedProject(BaseModel):
    """Answer of POST /api/v1/projects/{name}/parse. A project that doesn't parse is an answer, not an HTTP error."""

    ok: bool = Field(description="Whether dbt can read it.")
    dbt_version: str | None = Field(default=None, description="dbt-core that read it.")
    dbt_project_name: str | None = Field(default=None, description="The name in dbt_project.yml.")
    adapter: str | None = Field(default=None, description="Type of the target's adapter, from profiles.yml.")
    target: str | None = Field(default=None, description="The target that it was read for.")
    targets: list[str] = Field(default_factory=list, description="All targets of its profile.")
    git_sha: str | None = Field(default=None, description="The commit that was read; null outside of git.")
    nodes: list[ParsedNode] = Field(default_factory=list, description="All that it holds, macros too.")
    problems: list[ParseProblem] = Field(default_factory=list, description="What is wrong; warnings too.")


class SyncedProject(BaseModel):
    """Answer of POST /api/v1/projects/{name}/sync."""

    project: RegisteredProject = Field(description="As it is now.")
    old_git_sha: str | None = Field(default=None, description="The commit before; None for files outside of git.")
    git_sha: str | None = Field(default=None, description="The commit now.")
    changed: bool = Field(description="Whether a file of the project is another than before.")
    parsed: ParsedProject | None = Field(default=None, description="How dbt reads the new files; None if unchanged.")


def _fit_into_an_argument(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value)) > VARS_LIMIT:
        raise ValueError(f"vars are longer than {VARS_LIMIT} characters")
    return value


Vars = Annotated[dict[str, Any], AfterValidator(_fit_into_an_argument)]


class PreviewRequest(BaseModel):
    """Body of POST /api/v1/preview: which nodes would this selection run?"""

    model_config = ConfigDict(extra="forbid")

    project: ProjectName = Field(description="The project's name.")
    command: DbtCommand = Field(default=DbtCommand.BUILD, description="Which kinds of nodes count.")
    select: list[Selector] = Field(default_factory=list, description="`--select`.")
    exclude: list[Selector] = Field(default_factory=list, description="`--exclude`.")
    vars: Vars = Field(default_factory=dict, description="`--vars`.")
    target: Identifier | None = Field(default=None, description="`--target`; the profile's own when absent.")


class PreviewNode(BaseModel):
    """One node that a selection means."""

    unique_id: str = Field(description="dbt's id, e.g. model.shop.orders.")
    name: str = Field(default="", description="dbt's name of it.")
    resource_type: str = Field(default="", description="model, test, unit_test, seed, snapshot, source, …")
    path: str = Field(default="", description="File below the project folder.")


class Preview(BaseModel):
    """dbt's own answer (`dbt ls`) to a selection."""

    ok: bool = Field(description="Whether dbt understood the selection.")
    argv: list[str] = Field(default_factory=list, description="The command that would run, `dbt` first.")
    unique_ids: list[str] = Field(default_factory=list, description="The nodes that would run.")
    nodes: list[PreviewNode] = Field(default_factory=list, description="The same nodes with what dbt tells of each.")
    message: str | None = Field(default=None, description="dbt's words when the selection is wrong.")


class RowsRequest(BaseModel):
    """Body of POST /api/v1/rows: what does the query of one test or model give now?"""

    model_config = ConfigDict(extra="forbid")

    project: ProjectName = Field(description="The project's name.")
    unique_id: str = Field(pattern=r"^(test|model)\.[A-Za-z0-9_.-]{1,500}$", description="dbt's id of a test or model.")
    name: str = Field(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,250}$", description="dbt's name of it, by which dbt selects it."
    )
    vars: Vars = Field(default_factory=dict, description="`--vars`.")
    target: Identifier | None = Field(default=None, description="`--target`; the profile's own when absent.")
    limit: int = Field(default=50, strict=True, ge=1, le=500, description="How many rows at most.")


class Rows(BaseModel):
    """dbt's own answer (`dbt show`): rows as the warehouse gives them now."""

    ok: bool = Field(description="Whether dbt could ask for them.")
    rows: list[dict[str, Any]] = Field(default_factory=list, description="The rows, values by their columns.")
    message: str | None = Field(default=None, description="dbt's words when it could not.")
