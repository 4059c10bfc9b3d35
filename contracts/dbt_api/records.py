"""What an invocation left, as clients read it: its nodes, its events, its log, its artifacts.

A sequence number (`seq`) is a place in what dbt wrote: the attempt times 2^40 plus bytes of that attempt's log. It only
grows, means the same after a restart of the server, and fits a JavaScript number. `seq` of nodes, `since_seq` and the
`id` of events are one sequence.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.dbt_api.invocations import InvocationState, Outcome

LogLevel = Literal["debug", "info", "warn", "error"]
NodeStatus = Literal[
    "started",
    "success",
    "pass",
    "warn",
    "no-op",
    "reused",
    "partial success",
    "fail",
    "error",
    "runtime error",
    "skipped",
    "interrupted",
]
"""dbt's own words (`node_info.node_status` of its events), plus `interrupted`."""


class InvocationNode(BaseModel):
    """One node within one attempt of an invocation, from dbt's events."""

    unique_id: str = Field(description="dbt's id, e.g. model.shop.orders.")
    name: str = Field(description="dbt's name of it.")
    resource_type: str = Field(description="model, test, unit_test, seed, snapshot, source, operation, …")
    status: NodeStatus = Field(description="`interrupted`: it had started, and dbt ended before it did.")
    started_at: datetime | None = Field(default=None, description="UTC, from dbt's NodeStart.")
    finished_at: datetime | None = Field(default=None, description="UTC, from dbt's NodeFinished.")
    compile_ms: int | None = Field(default=None, description="Milliseconds of compiling, from dbt's timing.")
    execute_ms: int | None = Field(default=None, description="Milliseconds of executing, from dbt's timing.")
    thread: str | None = Field(default=None, description="The dbt thread that ran it, e.g. Thread-1 (worker).")
    rows: int | None = Field(default=None, description="Rows affected, where the adapter tells (rows_affected).")
    bytes: int | None = Field(default=None, description="Bytes processed, where the adapter tells (bytes_processed).")
    message: str | None = Field(default=None, description="dbt's message: the error's text, or e.g. `INSERT 3`.")
    relation: str | None = Field(default=None, description="The relation in the warehouse, quoted as dbt does.")
    skip_cause: str | None = Field(default=None, description="unique_id of the failed node that it was skipped for.")
    attempt: int = Field(description="The attempt that it belongs to.")
    seq: int = Field(description="Where this node changed last.")


class InvocationNodes(BaseModel):
    """Answer of GET /api/v1/invocations/{id}/nodes."""

    nodes: list[InvocationNode] = Field(description="In the order in which dbt first named them.")
    attempt: int = Field(description="The attempt that the nodes belong to. Forget the nodes of an earlier one.")
    seq: int = Field(description="Ask with this `since_seq` next time.")
    complete: bool = Field(description="True when no node will change any more.")


class StateEvent(BaseModel):
    """Data of a `state` event: the invocation came into this state."""

    task_id: str = Field(description="The invocation.")
    state: InvocationState = Field(description="The state it came into.")
    attempt: int = Field(description="Times that dbt was started.")
    at: datetime | None = Field(default=None, description="When; the same as created_at, started_at or finished_at.")
    outcome: Outcome | None = Field(default=None, description="Why it ended so.")
    exit_code: int | None = Field(default=None, description="dbt's.")
    exc_type: str | None = Field(default=None, description="As of the invocation.")
    exc_message: str | None = Field(default=None, description="As of the invocation.")


class LogQuery(BaseModel):
    """Query of GET /api/v1/invocations/{id}/logs. Without any of it: the log's bytes, by `Range` if you like."""

    model_config = ConfigDict(extra="forbid")

    offset: int | None = Field(default=None, ge=0, le=1 << 53, description="How many of the log's lines to pass over.")
    limit: int | None = Field(default=None, ge=1, le=10_000, description="Lines at most; 1000 unless told.")
    tail: int | None = Field(default=None, ge=1, le=10_000, description="Only the last so many of the lines.")
    level: LogLevel | None = Field(default=None, description="Leave out what is less important.")
    q: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        default=None, description="Text that the message must hold, in whatever case."
    )
    node: str | None = Field(default=None, max_length=500, description="unique_id of the node it must be about.")
    format: Literal["jsonl", "text"] = Field(default="jsonl", description="dbt's events, or time and message.")
    download: bool = Field(default=False, description="As a file with a name; then `limit` has no default.")
    attempt: int | None = Field(default=None, ge=0, le=10_000, description="The newest unless told.")

    @property
    def means_lines(self) -> bool:
        """Whether the answer is made of lines rather than of the file's bytes."""
        chosen = (self.offset, self.limit, self.tail, self.level, self.q, self.node)
        return self.format == "text" or any(each is not None for each in chosen)
