"""The three operators and the parameters that each takes per project and per run."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from contracts.names import DBT_API_CONNECTION_ID


class OperatorName(StrEnum):
    """What runs dbt for a project."""

    DBT_API = "dbt_api"
    KUBERNETES = "kubernetes"
    GKE = "gke"


class DbtApiParameters(BaseModel):
    """Parameters of the dbt API operator."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connection_id: str = Field(
        default=DBT_API_CONNECTION_ID,
        title="Airflow connection",
        description="The HTTP connection in Airflow that holds the dbt API's address and login.",
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
    )
    timeout_seconds: int = Field(
        default=4 * 3600,
        title="Time limit (seconds)",
        description="dbt is stopped gracefully when one invocation runs longer than this.",
        ge=10,
        le=7 * 24 * 3600,
    )
    priority: int = Field(
        default=100,
        title="Priority",
        description="Order in the dbt API's queue: the lower number runs first.",
        ge=1,
        le=1000,
    )
