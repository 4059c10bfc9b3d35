"""How far an invocation is: its phase, dbt Cloud's number for it, and how its nodes stand."""

from enum import StrEnum

from pydantic import BaseModel, Field


class Phase(StrEnum):
    """What an invocation is doing, finer than its state."""

    QUEUED = "queued"
    PREPARING = "preparing"
    PARSING = "parsing"
    RUNNING = "running"
    CANCELLING = "cancelling"
    COLLECTING = "collecting"
    DONE = "done"


class NodeCounts(BaseModel):
    """How many nodes stand where, without hooks. After the end, `total` less the others were never finished."""

    passed: int = Field(default=0, alias="pass", description="Models built, seeds loaded, tests passed.")
    warn: int = Field(default=0, description="Tests that warned.")
    error: int = Field(default=0, description="Nodes that failed, tests that found rows included.")
    skip: int = Field(default=0, description="Skipped because of an upstream failure.")
    noop: int = Field(default=0, description="Nodes that dbt had nothing to do for, e.g. exposures.")
    reused: int = Field(default=0, description="Results that dbt took over from an earlier run.")
    total: int = Field(default=0, description="Nodes that dbt announced; 0 before it knows.")
    running: int = Field(default=0, description="Nodes that run now; 0 after the end.")

    model_config = {"populate_by_name": True, "serialize_by_alias": True}
