"""A dbt project on the dbt API: its source, what dbt finds in it, what a selection of its nodes means."""

import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

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

    kind: Literal["template"] = "template"
    warehouse: Warehouse = Warehouse.DUCKDB


class FolderSource(BaseModel):
    """A folder on the dbt API server's machine, used where it lies."""

    kind: Literal["folder"] = "folder"
    path: str = Field(min_length=1)


class GitSource(BaseModel):
    """A git repository, cloned by the server. The url must carry no password: it is stored and shown."""

    kind: Literal["git"] = "git"
    url: str = Field(min_length=1, max_length=2000)
    branch: str = Field(default="main", pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,200}$")
    subfolder: str = ""


class UploadSource(BaseModel):
    """An archive that was uploaded (PUT /api/v1/projects/{name}/upload), known by its content."""

    kind: Literal["upload"] = "upload"
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the archive's bytes, in lower-case hex.")
    filename: str = Field(default="", max_length=200, description="What the archive was called; shown, never used.")


ProjectSource = Annotated[TemplateSource | FolderSource | GitSource | UploadSource, Field(discriminator="kind")]


class RegisterProject(BaseModel):
    """Body of PUT /api/v1/projects/{name}: make the project's files ready. Safe to repeat."""

    source: ProjectSource
    environment: str = Field(
        default="default",
        max_length=100,
        description="Name of the dbt environment (setting ENVIRONMENTS) that runs it.",
    )


class RegisteredProject(BaseModel):
    """A project that the dbt API can run."""

    name: str
    source: ProjectSource
    path: str = Field(description="The dbt project folder on the server.")
    environment: str = Field(default="default", description="The dbt environment that runs it.")
    git_sha: str | None = None
    bundle: str | None = Field(default=None, description="SHA-256 of the files that all hosts fetch, if they do.")
    updated_at: datetime


class ParsedNode(BaseModel):
    """One node of a parsed project: model, test, seed, snapshot, source, exposure, macro (of the project itself)."""

    unique_id: str
    name: str
    resource_type: str
    package: str = ""
    path: str = Field(default="", description="File below the project folder.")
    tags: list[str] = Field(default_factory=list)
    materialized: str | None = None
    description: str = ""
    depends_on: list[str] = Field(default_factory=list)


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
    ]
    message: str
    hint: str | None = None
    file: str | None = None


class ParsedProject(BaseModel):
    """Answer of POST /api/v1/projects/{name}/parse. A project that doesn't parse is an answer, not an HTTP error."""

    ok: bool
    dbt_version: str | None = None
    dbt_project_name: str | None = None
    adapter: str | None = None
    target: str | None = None
    targets: list[str] = Field(default_factory=list)
    git_sha: str | None = None
    nodes: list[ParsedNode] = Field(default_factory=list)
    problems: list[ParseProblem] = Field(default_factory=list)


class SyncedProject(BaseModel):
    """Answer of POST /api/v1/projects/{name}/sync."""

    project: RegisteredProject
    old_git_sha: str | None = Field(default=None, description="The commit before; None for files outside of git.")
    git_sha: str | None = Field(default=None, description="The commit now.")
    changed: bool = Field(description="Whether a file of the project is another than before.")
    parsed: ParsedProject | None = Field(default=None, description="How dbt reads the new files; None if unchanged.")


class PreviewRequest(BaseModel):
    """Body of POST /api/v1/preview: which nodes would this selection run?"""

    model_config = ConfigDict(extra="forbid")

    project: ProjectName
    command: DbtCommand = DbtCommand.BUILD
    select: list[Selector] = Field(default_factory=list)
    exclude: list[Selector] = Field(default_factory=list)
    vars: dict[str, Any] = Field(default_factory=dict)
    target: Identifier | None = None

    @field_validator("vars")
    @classmethod
    def _fit_into_an_argument(cls, value: dict[str, Any]) -> dict[str, Any]:
        if len(json.dumps(value)) > VARS_LIMIT:
            raise ValueError(f"vars are longer than {VARS_LIMIT} characters")
        return value


class PreviewNode(BaseModel):
    """One node that a selection means."""

    unique_id: str
    name: str = ""
    resource_type: str = ""
    path: str = Field(default="", description="File below the project folder.")


class Preview(BaseModel):
    """dbt's own answer (`dbt ls`) to a selection."""

    ok: bool
    argv: list[str] = Field(default_factory=list, description="The command that would run, `dbt` first.")
    unique_ids: list[str] = Field(default_factory=list)
    nodes: list[PreviewNode] = Field(default_factory=list, description="The same nodes with what dbt tells of each.")
    message: str | None = Field(default=None, description="dbt's words when the selection is wrong.")
