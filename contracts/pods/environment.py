"""Variables and volumes. A secret is always a reference to a Secret of the cluster, never a value."""

from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, field_validator, model_validator

from contracts.pods.names import DnsLabel, ObjectName, Parameters, Part, Path, SecretKeyName, SubPath, VariableName
from contracts.pods.source import CREDENTIAL_VOLUME, PROJECT_VOLUME
from contracts.quantities import Quantity
from contracts.secret_names import SECRET_KEY

_SECTION: dict[str, JsonValue] = {"section": "Environment and files"}


class SecretKey(Part):
    """One key of a Secret in the pod's namespace."""

    secret: ObjectName
    key: SecretKeyName


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

    name: DnsLabel
    mount_path: Path
    sub_path: SubPath | None = None
    read_only: bool = False
    claim: ObjectName | None = Field(default=None, description="A PersistentVolumeClaim.")
    secret: ObjectName | None = None
    config_map: ObjectName | None = None
    host_path: Path | None = None
    empty_dir: bool = False
    mode: Annotated[str, StringConstraints(pattern=r"^0?[0-7]{3}$")] | None = None
    """Permissions of the files of a secret or config map, in octal digits: '0400'."""
    size_limit: Quantity | None = None
    """Of an empty_dir: the pod is evicted when it writes more into it."""

    @model_validator(mode="after")
    def _is_one(self) -> "Volume":
        if sum(map(bool, (self.claim, self.secret, self.config_map, self.host_path, self.empty_dir))) != 1:
            raise ValueError("a volume is exactly one of claim, secret, config_map, host_path, empty_dir")
        if self.name in (PROJECT_VOLUME, CREDENTIAL_VOLUME):
            raise ValueError(f"the name {self.name} is taken by the clone of the project")
        return self

    @model_validator(mode="after")
    def _options_belong(self) -> "Volume":
        if self.mode and not (self.secret or self.config_map):
            raise ValueError("mode is for a secret or a config_map")
        if self.size_limit and not self.empty_dir:
            raise ValueError("size_limit is for an empty_dir")
        return self


def _no_name_twice(volumes: list[Volume]) -> list[Volume]:
    for field in ("name", "mount_path"):
        values = [getattr(volume, field) for volume in volumes]
        if twice := next((value for value in values if values.count(value) > 1), None):
            raise ValueError(f"two volumes have the {field} {twice}")
    return volumes


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
    volumes: Annotated[list[Volume], AfterValidator(_no_name_twice)] = Field(
        default_factory=list,
        title="Volumes",
        description="- {name: cache, mount_path: /cache, claim: dbt-cache}; instead of claim also secret, config_map "
        "(both with mode: '0400' if wanted), host_path, or empty_dir: true (with size_limit: 1Gi); also sub_path and "
        "read_only: true.",
        json_schema_extra=_SECTION,
    )

    @field_validator("env")
    @classmethod
    def _holds_no_secret(cls, env: dict[str, str]) -> dict[str, str]:
        for name in env:
            if SECRET_KEY.search(name):
                raise ValueError(f"'{name}' in env looks like a secret: refer to a Secret in secret_env instead")
        return env
