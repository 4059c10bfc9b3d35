"""What Airflow's REST API does not tell: the DAG factory reads it where it runs, and shows it on the anchor DAG."""

from pydantic import BaseModel, ConfigDict, Field

FACTS_PARAM = "airflow"
"""The anchor DAG's Param that holds them."""


class AirflowFacts(BaseModel):
    """How Airflow is configured, as its DAG processor reads it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    executors: list[str] = Field(default_factory=list, description="Names, the default first.")
    parallelism: int | None = Field(default=None, description="Most tasks that one scheduler has at a time.")
