"""The server itself: its health, and the one form of its errors."""

from pydantic import BaseModel, Field


class Health(BaseModel):
    """Answer of GET /ready."""

    ready: bool
    version: str
    dbt_version: str | None = None
    adapters: list[str] = Field(default_factory=list)
    engines: dict[str, str] = Field(
        default_factory=dict, description="dbt environment -> `ready` to start warm, or why it starts cold."
    )
    queued: int = 0
    running: int = 0
    problems: list[str] = Field(default_factory=list)


class Problem(BaseModel):
    """Every error: problem+json (RFC 9457) with the three keys that dbt-labs' clients read."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    hint: str | None = None
    status_code: int
    message: str
    data: None = None
