"""What the pod may do on its node: the user it runs as, and whether it keeps to the strictest of the pod standards."""

from typing import Literal

from pydantic import Field, JsonValue, ValidationInfo, field_validator

from contracts.pods.names import Parameters

_SECTION: dict[str, JsonValue] = {"section": "Security"}


class SecurityParameters(Parameters):
    """The pod's security context."""

    security: Literal["image", "restricted"] = Field(
        default="image",
        title="Pod security",
        description="image: as the image was built. restricted: what the Pod Security Standard of that name asks, "
        "which some namespaces enforce: no root, no capabilities, no further privileges.",
        json_schema_extra=_SECTION,
    )
    run_as_user: int | None = Field(
        default=None,
        title="User id",
        description="Number of the user that dbt runs as. Empty: the image's own.",
        ge=0,
        le=2**31 - 1,
        json_schema_extra=_SECTION,
    )
    fs_group: int | None = Field(
        default=None,
        title="Group of volumes",
        description="Number of the group that owns the volumes' files, so that this user may write there.",
        ge=0,
        le=2**31 - 1,
        json_schema_extra=_SECTION,
    )

    @field_validator("run_as_user")
    @classmethod
    def _is_not_root_where_forbidden(cls, user: int | None, info: ValidationInfo) -> int | None:
        if user == 0 and info.data.get("security") == "restricted":
            raise ValueError("pod security restricted forbids user 0, which is root")
        return user
