"""The container that dbt runs in: its image, its process, dbt's words."""

from typing import Literal

from pydantic import Field, JsonValue

from contracts.pods.names import IMAGE_PATTERN, ObjectName, Parameters

_SECTION: dict[str, JsonValue] = {"section": "Image"}


class ImageParameters(Parameters):
    """Which image, and what is called in it."""

    image: str = Field(
        default="pilothouse/dbt:latest",
        title="Image",
        description="With dbt and, unless it is cloned, the project. deploy/ builds one that can be interrupted.",
        pattern=IMAGE_PATTERN,
        json_schema_extra=_SECTION,
    )
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(
        default="IfNotPresent",
        title="Pull policy",
        description="When the node fetches the image. Always for tags that move, such as latest.",
        json_schema_extra=_SECTION,
    )
    image_pull_secrets: list[ObjectName] = Field(
        default_factory=list,
        title="Pull secrets",
        description="Names of Secrets that hold the registry's login.",
        json_schema_extra=_SECTION,
    )
    entrypoint: list[str] = Field(
        default_factory=list,
        title="Entrypoint",
        description="Process 1 of the container. Empty: the image's own, which should turn TERM into an interrupt.",
        json_schema_extra=_SECTION,
    )
    dbt_command: list[str] = Field(
        default_factory=lambda: ["dbt"],
        title="dbt",
        description="The words before dbt's own arguments. Empty list: the entrypoint is dbt itself.",
        json_schema_extra=_SECTION,
    )
    extra_arguments: list[str] = Field(
        default_factory=list,
        title="More arguments",
        description="Put behind dbt's own, for example --fail-fast.",
        json_schema_extra=_SECTION,
    )
