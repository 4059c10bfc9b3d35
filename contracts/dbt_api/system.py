"""The server itself: its health, and the one form of its errors."""

from pydantic import BaseModel, ConfigDict, Field


class Health(BaseModel):
    """Answer of GET /ready."""

    ready: bool = Field(description="Whether it can take work: true with 200, false with 503.")
    version: str = Field(description="The dbt API's own version.")
    dbt_version: str | None = Field(
        default=None, description="dbt-core of the default environment, by its installed package."
    )
    adapters: list[str] = Field(
        default_factory=list, description="Warehouses that the default environment's adapters reach."
    )
    engines: dict[str, str] = Field(
        default_factory=dict, description="dbt environment -> `ready` to start warm, or why it starts cold."
    )
    queued: int = Field(default=0, description="Invocations that wait.")
    running: int = Field(default=0, description="Invocations that run.")
    workers: int = Field(default=0, description="Workers whose lease holds.")
    problems: list[str] = Field(default_factory=list, description="What keeps it from taking work, for people.")


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

    type: str = Field(default="about:blank", description="Always about:blank: the status says the kind.")
    title: str = Field(description="The HTTP status in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong, for people.")
    hint: str | None = Field(default=None, description="What to try.")
    status_code: int = Field(description="The status once more, as dbt-labs' clients read it.")
    message: str = Field(description="The detail once more, as dbt-labs' clients read it.")
    data: None = Field(default=None, description="Always null; dbt-labs' clients read it.")
