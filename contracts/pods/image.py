"""The container that dbt runs in: its image, and what is called in it."""

from typing import Any, Literal

from pydantic import Field, JsonValue, field_validator, model_validator

from contracts.pods.names import Image, ObjectName, Parameters

_SECTION: dict[str, JsonValue] = {"section": "Image"}

DBT, PROJECT, PROFILES = "{dbt}", "{project}", "{profiles}"
"""What stands in the arguments for the run's own dbt command, and for the folders of the project and its profiles."""


class ImageParameters(Parameters):
    """Which image, and what is called in it."""

    image: Image = Field(
        default="pilothouse/dbt:latest",
        title="Image",
        description="With dbt and, unless it is cloned, the project. deploy/ builds one that can be interrupted.",
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
    arguments: list[str] = Field(
        default=["dbt", DBT, "--project-dir", PROJECT, "--profiles-dir", PROFILES],
        title="Arguments",
        description=f"What the entrypoint gets. {DBT} is the run's own command with its options, {PROJECT} and "
        f"{PROFILES} are the folders. Put more of dbt's options behind them, for example --fail-fast.",
        json_schema_extra=_SECTION,
    )

    @field_validator("arguments")
    @classmethod
    def _runs_dbt(cls, arguments: list[str]) -> list[str]:
        if arguments.count(DBT) != 1:
            raise ValueError(f"arguments need {DBT} once, on its own: there the run's command and options are put")
        return arguments

    @model_validator(mode="before")
    @classmethod
    def _accept_the_parts(cls, values: Any) -> Any:
        """`dbt_command` and `extra_arguments`, which the arguments were made of before."""
        if not isinstance(values, dict) or not values.keys() & {"dbt_command", "extra_arguments"}:
            return values
        values = dict(values)
        before, behind = values.pop("dbt_command", ["dbt"]), values.pop("extra_arguments", [])
        values.setdefault("arguments", [*before, DBT, "--project-dir", PROJECT, "--profiles-dir", PROFILES, *behind])
        return values
