"""What the newest good manifest of a project tells: its models, each with its history, and the graph between them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field

from contracts.dbt_api.projects import ParsedNode


class NodeType(StrEnum):
    """Kinds of nodes, in dbt's own words."""

    MODEL = "model"
    SEED = "seed"
    SNAPSHOT = "snapshot"
    SOURCE = "source"
    EXPOSURE = "exposure"
    TEST = "test"
    UNIT_TEST = "unit_test"
    ANALYSIS = "analysis"
    OPERATION = "operation"


class ManifestFacts(BaseModel):
    """Where a kept manifest comes from."""

    target: str = Field(description="The target that it was parsed for.")
    generated_at: datetime = Field(description="When dbt wrote it, UTC, by its own metadata.")
    dbt_version: str | None = Field(default=None, description="dbt's version, by the manifest's metadata.")
    git_sha: str | None = Field(default=None, description="The commit of the project's files; None outside of git.")
    invocation_id: str | None = Field(default=None, description="dbt's id of the command that wrote it.")
    task_id: str | None = Field(default=None, description="The invocation that left it; None when a parse did.")


class NodeOutcome(BaseModel):
    """What one invocation did to one node, from dbt's event NodeFinished."""

    task_id: str = Field(description="The invocation.")
    target: str | None = Field(default=None, description="The target that it ran on.")
    status: str = Field(description="dbt's node_status: success, error, pass, fail, warn, skipped, …")
    execute_ms: int | None = Field(default=None, description="Milliseconds that dbt measured; None when skipped.")
    rows: int | None = Field(default=None, description="Rows affected, when the adapter tells.")
    finished_at: datetime = Field(description="UTC.")


class ModelSummary(ParsedNode):
    """One node in a list."""

    last: NodeOutcome | None = Field(default=None, description="Its newest result, whatever the target.")


class ModelPage(BaseModel):
    """One page of nodes, by unique_id."""

    models: list[ModelSummary] = Field(description="By unique_id.")
    total: int = Field(description="How many nodes fit, on all pages.")
    next_cursor: str | None = Field(default=None, description="For the next page; null on the last.")
    manifest: ManifestFacts = Field(description="The manifest that answers.")


class Column(BaseModel):
    """A column as the project's YAML describes it; dbt does not look into the warehouse for it."""

    name: str = Field(description="Its name.")
    description: str = Field(default="", description="From the project's YAML.")
    data_type: str | None = Field(default=None, description="From the project's YAML, where it says so.")


class ModelDetail(ModelSummary):
    """All that is known of one node."""

    columns: list[Column] = Field(default_factory=list, description="As the project describes them.")
    relation: str | None = Field(default=None, description="Its quoted name in the warehouse.")
    raw_sql: str | None = Field(default=None, description="As written, with Jinja.")
    compiled_sql: str | None = Field(default=None, description="As last compiled; None when it never was.")
    referenced_by: list[str] = Field(default_factory=list, description="Nodes that read it, tests apart.")
    tests: list[str] = Field(default_factory=list, description="Tests on it.")
    config: dict[str, Any] = Field(default_factory=dict, description="Its configuration, as dbt resolved it.")
    manifest: ManifestFacts = Field(description="The manifest that answers.")


class NodeHistory(BaseModel):
    """The results of one node, newest first."""

    unique_id: str = Field(description="dbt's id of the node.")
    results: list[NodeOutcome] = Field(description="Newest first.")
    next_cursor: str | None = Field(default=None, description="For the next page; null on the last.")


class LineageEdge(BaseModel):
    """`child` reads `parent`."""

    parent: str = Field(description="unique_id of what is read.")
    child: str = Field(description="unique_id of what reads it.")


class Lineage(BaseModel):
    """A part of the project's graph; tests are left out."""

    nodes: list[ParsedNode] = Field(description="The nodes of this part.")
    edges: list[LineageEdge] = Field(description="Those between two of them.")
    manifest: ManifestFacts = Field(description="The manifest that answers.")
