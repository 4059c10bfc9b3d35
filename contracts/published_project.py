"""What Airflow knows of a project: the value of the Airflow Variable that the DAG factory reads."""

import hashlib
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, RootModel

from contracts.executors import ExecutorName, WorkerPod
from contracts.names import PROJECT_NAME_PATTERN, dag_id_of
from contracts.operators import OperatorName
from contracts.run_conf import DbtCommand, Identifier


class PublishedProject(BaseModel):
    """One project as the console publishes it. Holds no secret: connections are named, never copied."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str = Field(pattern=PROJECT_NAME_PATTERN)
    description: str = ""
    owner: str = "pilothouse"
    operator: OperatorName = OperatorName.DBT_API
    operator_parameters: dict[str, Any] = Field(default_factory=dict)
    command: DbtCommand = DbtCommand.BUILD
    target: Identifier | None = None
    threads: int | None = Field(default=None, ge=1, le=64)
    schedule: str | None = Field(default=None, description="Cron expression or preset in UTC; None runs by hand only.")
    start_date: datetime = Field(description="No scheduled run lies before this moment (UTC).")
    pool: str = "default_pool"
    queue: str | None = None
    executor: ExecutorName | None = Field(default=None, description="One of Airflow's executors; None: its default.")
    worker_pod: WorkerPod = Field(default_factory=WorkerPod)
    retries: int = Field(default=0, ge=0, le=10)
    retry_delay_seconds: int = Field(default=60, ge=0, le=24 * 3600)
    paused: bool = False

    @property
    def dag_id(self) -> str:
        """The id of this project's DAG."""
        return dag_id_of(self.name)

    @property
    def fingerprint(self) -> str:
        """Changes with any published value: the console waits until Airflow shows this one."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


class PublishedProjects(RootModel[list[PublishedProject]]):
    """The whole Variable: every published project, written at once from the console's database."""
