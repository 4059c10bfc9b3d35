"""Variables and volumes. A secret is always a reference to a Secret of the cluster, never a value."""

from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints, model_validator

from contracts.pods.names import ObjectName, Parameters, Part, Path, VariableName, VolumeName
from contracts.pods.source import PROJECT_VOLUME
from contracts.secret_names import SECRET_KEY

_SECTION: dict[str, JsonValue] = {"section": "Environment and files"}


class SecretKey(Part):
    """One key of a Secret in the pod's namespace."""

    secret: ObjectName
    key: Annotated[str, StringConstraints(pattern=r"^[-A-Za-z0-9_.]{1,253}$")]


class EnvironmentSource(Part):
    """All keys of a Secret or a ConfigMap as environment variables."""

    secret: ObjectName | None = None
    config_map: ObjectName | None = None
    prefix: VariableName | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "EnvironmentSource":
        if (self.secret is None) == (self.config_map is None):
            raise ValueError("name either a secret or a config_map")
        return self


class Volume(Part):
    """A volume and where the dbt container sees it."""

    name: VolumeName
    mount_path: Path
    sub_path: str | None = Field(default=None, pattern=r"^[^/\r\n][^\r\n]*$")
    read_only: bool = False
    claim: ObjectName | None = Field(default=None, description="A PersistentVolumeClaim.")
    secret: ObjectName | None = None
    config_map: ObjectName | None = None
    host_path: Path | None = None
    empty_dir: bool = False

    @model_validator(mode="after")
    def _is_one(self) -> "Volume":
        if sum(map(bool, (self.claim, self.secret, self.config_map, self.host_path, self.empty_dir))) != 1:
            raise ValueError("a volume is exactly one of claim, secret, config_map, host_path, empty_dir")
        if self.name == PROJECT_VOLUME:
            raise ValueError(f"the name {PROJECT_VOLUME} is taken by the clone of the project")
        return self


class EnvironmentParameters(Parameters):
    """What dbt's container finds around it."""

    env: dict[VariableName, str] = Field(
        default_factory=dict,
        title="Environment variables",
        description="Names and values. Never a secret: it would be stored and shown.",
        json_schema_extra=_SECTION,
    )
    secret_env: dict[VariableName, SecretKey] = Field(
        default_factory=dict,
        title="Variables from secrets",
        description="DBT_ENV_SECRET_PASSWORD: {secret: warehouse, key: password}",
        json_schema_extra=_SECTION,
    )
    env_from: list[EnvironmentSource] = Field(
        default_factory=list,
        title="Whole secrets and config maps",
        description="- secret: warehouse, or - config_map: settings; with prefix if wanted.",
        json_schema_extra=_SECTION,
    )
    volumes: list[Volume] = Field(
        default_factory=list,
        title="Volumes",
        description="- {name: cache, mount_path: /cache, claim: dbt-cache}; instead of claim also secret, config_map, "
        "host_path or empty_dir: true.",
        json_schema_extra=_SECTION,
    )

    @model_validator(mode="after")
    def _holds_no_secret(self) -> "EnvironmentParameters":
        for name in self.env:
            if SECRET_KEY.search(name):
                raise ValueError(f"'{name}' in env looks like a secret: refer to a Secret in secret_env instead")
        return self
