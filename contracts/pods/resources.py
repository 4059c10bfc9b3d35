"""CPU, memory and disk of the pod, as Kubernetes quantities."""

from pydantic import Field, JsonValue, ValidationInfo, field_validator

from contracts.pods.names import Parameters
from contracts.quantities import Quantity, amount

_SECTION: dict[str, JsonValue] = {"section": "Resources"}


class ResourceParameters(Parameters):
    """What the scheduler keeps free for dbt, and what dbt may not go beyond."""

    cpu_request: Quantity | None = Field(
        default="250m",
        title="CPU requested",
        description="What the scheduler keeps free for it: 500m is half a core.",
        json_schema_extra=_SECTION,
    )
    cpu_limit: Quantity | None = Field(
        default=None, title="CPU limit", description="More is throttled. Empty: none.", json_schema_extra=_SECTION
    )
    memory_request: Quantity | None = Field(
        default="512Mi", title="Memory requested", description="For example 512Mi or 2Gi.", json_schema_extra=_SECTION
    )
    memory_limit: Quantity | None = Field(
        default="2Gi",
        title="Memory limit",
        description="dbt is killed when it needs more. Empty: none.",
        json_schema_extra=_SECTION,
    )
    ephemeral_storage_request: Quantity | None = Field(
        default=None, title="Disk requested", description="For example 1Gi.", json_schema_extra=_SECTION
    )
    ephemeral_storage_limit: Quantity | None = Field(
        default=None,
        title="Disk limit",
        description="The pod is evicted when it writes more. Empty: none.",
        json_schema_extra=_SECTION,
    )

    @field_validator("cpu_limit", "memory_limit", "ephemeral_storage_limit")
    @classmethod
    def _covers_the_request(cls, limit: str | None, info: ValidationInfo) -> str | None:
        asked = str(info.field_name).replace("_limit", "_request")
        request = info.data.get(asked)
        if request and limit and amount(request) > amount(limit):
            raise ValueError(f"{asked} {request} is more than {info.field_name} {limit}")
        return limit
