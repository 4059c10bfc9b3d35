"""How long a pod may take to start, to run and to stop, and what becomes of it."""

from enum import StrEnum
from typing import Any

from pydantic import Field, JsonValue, model_validator

from contracts.pods.names import Parameters

_SECTION: dict[str, JsonValue] = {"section": "Life of the pod"}


class OnFinish(StrEnum):
    """What becomes of the pod when it has ended, in the words of Airflow's provider."""

    DELETE_POD = "delete_pod"
    DELETE_SUCCEEDED_POD = "delete_succeeded_pod"
    KEEP_POD = "keep_pod"


class LifeParameters(Parameters):
    """Time limits, and the end."""

    startup_timeout_seconds: int = Field(
        default=300,
        title="Start-up timeout (seconds)",
        description="Airflow gives up when the pod has not started by then.",
        ge=10,
        le=24 * 3600,
        json_schema_extra=_SECTION,
    )
    active_deadline_seconds: int | None = Field(
        default=4 * 3600,
        title="Deadline (seconds)",
        description="Kubernetes ends the pod when it has existed so long. Empty: never.",
        ge=10,
        le=7 * 24 * 3600,
        json_schema_extra=_SECTION,
    )
    grace_period_seconds: int = Field(
        default=60,
        title="Grace period (seconds)",
        description="How long dbt may take to stop its queries and write its results when the pod is ended.",
        ge=1,
        le=3600,
        json_schema_extra=_SECTION,
    )
    on_finish_action: OnFinish = Field(
        default=OnFinish.DELETE_POD,
        title="When it has ended",
        description="Delete the pod, only if it succeeded, or keep it to look into.",
        json_schema_extra=_SECTION,
    )

    @model_validator(mode="before")
    @classmethod
    def _accept_the_old_name(cls, values: Any) -> Any:
        """`is_delete_operator_pod` of older set-ups; Airflow's provider accepts it and does nothing with it."""
        if not isinstance(values, dict) or "is_delete_operator_pod" not in values:
            return values
        values = dict(values)
        wanted = values.pop("is_delete_operator_pod")
        values.setdefault("on_finish_action", OnFinish.DELETE_POD if wanted else OnFinish.KEEP_POD)
        return values
