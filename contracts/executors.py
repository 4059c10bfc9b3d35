"""Where Airflow runs a project's task: the worker pod, where its executor is Kubernetes."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationInfo, field_validator

from contracts.pods.names import LabelKey, LabelValue, like
from contracts.quantities import Quantity, amount

KUBERNETES_EXECUTOR = "KubernetesExecutor"
EXECUTORS = ("LocalExecutor", "CeleryExecutor", KUBERNETES_EXECUTOR)
"""Airflow's own; it may have others."""

ExecutorName = Annotated[
    str, like(r"[A-Za-z_][A-Za-z0-9_.-]{0,199}", "name an executor as Airflow's [core] executor does")
]

_RESOURCES: dict[str, JsonValue] = {"section": "Worker pod"}


class WorkerPod(BaseModel):
    """What a project changes of the worker pods that the KubernetesExecutor makes. Empty: as the template says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cpu_request: Quantity | None = Field(
        default=None, title="CPU requested", description="For example 500m.", json_schema_extra=_RESOURCES
    )
    cpu_limit: Quantity | None = Field(
        default=None, title="CPU limit", description="More is throttled.", json_schema_extra=_RESOURCES
    )
    memory_request: Quantity | None = Field(
        default=None, title="Memory requested", description="For example 512Mi.", json_schema_extra=_RESOURCES
    )
    memory_limit: Quantity | None = Field(
        default=None,
        title="Memory limit",
        description="Airflow's task is killed when it needs more; dbt itself runs elsewhere.",
        json_schema_extra=_RESOURCES,
    )
    node_selector: dict[LabelKey, LabelValue] = Field(
        default_factory=dict,
        title="Node selector",
        description="Labels that the worker's node must have. pool: airflow",
        json_schema_extra=_RESOURCES,
    )

    @field_validator("cpu_limit", "memory_limit")
    @classmethod
    def _covers_the_request(cls, limit: str | None, info: ValidationInfo) -> str | None:
        asked = str(info.field_name).replace("_limit", "_request")
        request = info.data.get(asked)
        if request and limit and amount(request) > amount(limit):
            raise ValueError(f"{asked} {request} is more than {info.field_name} {limit}")
        return limit

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return self == WorkerPod()
