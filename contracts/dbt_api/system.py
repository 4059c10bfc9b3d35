"""The server itself: its health, and the one form of its errors."""

from pydantic import BaseModel, ConfigDict, Field


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
    workers: int = Field(default=0, description="Workers whose lease holds.")
    problems: list[str] = Field(default_factory=list)


class Version(BaseModel):
    """Answer of GET /version."""

    version: str = Field(description="The dbt API's own version.")
    schema_version: str | None = Field(description="Newest migration that its database has had.")
    dbt: dict[str, str] = Field(description="Versions of dbt's packages in its default environment: core, duckdb, …")
    python: str = Field(description="Version of the Python that serves.")


class Problem(BaseModel):
    """Every error: problem+json (RFC 9457) with the three keys that dbt-labs' clients read."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "There is no invocation 'nightly-31'.",
                    "hint": None,
                    "status_code": 404,
                    "message": "There is no invocation 'nightly-31'.",
                    "data": None,
                }
            ]
        }
    )

    type: str = "about:blank"
    title: str = Field(description="The HTTP status in words.")
    status: int
    detail: str = Field(description="What is wrong, for people.")
    hint: str | None = Field(default=None, description="What to try.")
    status_code: int = Field(description="The status once more, as dbt-labs' clients read it.")
    message: str = Field(description="The detail once more, as dbt-labs' clients read it.")
    data: None = None
