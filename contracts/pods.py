"""The pod that dbt runs in, as a project describes it: what the Kubernetes and the GKE operator share.

Names and limits are Kubernetes' own (kubernetes.io/docs/concepts/overview/working-with-objects/names). A secret is
always a reference to a Secret of the cluster, never a value.
"""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from contracts.quantities import Quantity, amount
from contracts.secret_names import SECRET_KEY

ObjectName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$")]
VolumeName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
LabelKey = Annotated[
    str, StringConstraints(pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$")
]
LabelValue = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$")]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
Path = Annotated[str, StringConstraints(pattern=r"^/[^\r\n:]*$", max_length=500)]

_IMAGE: dict[str, JsonValue] = {"section": "Image and project"}
_RESOURCES: dict[str, JsonValue] = {"section": "Resources"}
_ENVIRONMENT: dict[str, JsonValue] = {"section": "Environment and files"}
_PLACEMENT: dict[str, JsonValue] = {"section": "Identity and placement"}
_LIFE: dict[str, JsonValue] = {"section": "Life of the pod"}

MOST_GRACE_SECONDS = 3600
PROJECT_VOLUME = "pilothouse-project"
SOURCE_MOUNT = "/pilothouse/source"
"""Where the init container clones to."""


class OnFinish(StrEnum):
    """What becomes of the pod when it has ended, in the words of Airflow's provider."""

    DELETE_POD = "delete_pod"
    DELETE_SUCCEEDED_POD = "delete_succeeded_pod"
    KEEP_POD = "keep_pod"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretKey(_Part):
    """One key of a Secret in the pod's namespace."""

    secret: ObjectName
    key: Annotated[str, StringConstraints(pattern=r"^[-A-Za-z0-9_.]{1,253}$")]


class EnvironmentSource(_Part):
    """All keys of a Secret or a ConfigMap as environment variables."""

    secret: ObjectName | None = None
    config_map: ObjectName | None = None
    prefix: VariableName | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "EnvironmentSource":
        if (self.secret is None) == (self.config_map is None):
            raise ValueError("name either a secret or a config_map")
        return self


class Volume(_Part):
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


class Toleration(_Part):
    """A taint that the pod puts up with."""

    key: LabelKey | None = None
    operator: Literal["Equal", "Exists"] = "Equal"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: int | None = Field(default=None, ge=0)


class PodParameters(BaseModel):
    """Everything about the pod. All of it may differ per run, except what PER_PROJECT names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    PER_PROJECT: ClassVar[frozenset[str]] = frozenset(
        {"startup_timeout_seconds", "active_deadline_seconds", "on_finish_action"}
    )
    """What Airflow takes from the DAG alone."""

    namespace: str = Field(
        default="default",
        title="Namespace",
        description="Where the pod is made.",
        pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
        json_schema_extra=_PLACEMENT,
    )
    image: str = Field(
        default="pilothouse/dbt:latest",
        title="Image",
        description="With dbt and, unless it is cloned, the project. deploy/ builds one that can be interrupted.",
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._:/@-]{0,500}$",
        json_schema_extra=_IMAGE,
    )
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(
        default="IfNotPresent",
        title="Pull policy",
        description="When the node fetches the image. Always for tags that move, such as latest.",
        json_schema_extra=_IMAGE,
    )
    image_pull_secrets: list[ObjectName] = Field(
        default_factory=list,
        title="Pull secrets",
        description="Names of Secrets that hold the registry's login.",
        json_schema_extra=_IMAGE,
    )
    entrypoint: list[str] = Field(
        default_factory=list,
        title="Entrypoint",
        description="Process 1 of the container. Empty: the image's own, which should turn TERM into an interrupt.",
        json_schema_extra=_IMAGE,
    )
    dbt_command: list[str] = Field(
        default_factory=lambda: ["dbt"],
        title="dbt",
        description="The words before dbt's own arguments. Empty list: the entrypoint is dbt itself.",
        json_schema_extra=_IMAGE,
    )
    extra_arguments: list[str] = Field(
        default_factory=list,
        title="More arguments",
        description="Put behind dbt's own, for example --fail-fast.",
        json_schema_extra=_IMAGE,
    )
    project_source: Literal["image", "git"] = Field(
        default="image",
        title="Project in the pod",
        description="image: baked in. git: cloned by an init container before dbt starts.",
        json_schema_extra=_IMAGE,
    )
    project_directory: str = Field(
        default="/project",
        title="Project folder",
        description="Folder of dbt_project.yml in the pod.",
        pattern=r"^/[^\r\n]*$",
        json_schema_extra=_IMAGE,
    )
    profiles_directory: str | None = Field(
        default=None,
        title="Profiles folder",
        description="Folder of profiles.yml in the pod. Empty: the project folder.",
        pattern=r"^/[^\r\n]*$",
        json_schema_extra=_IMAGE,
    )
    git_url: str | None = Field(
        default=None,
        title="Repository",
        description="For git: https, ssh or file. Without a password; mount a credential from a Secret instead.",
        pattern=r"^(https://|ssh://|file://|[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:)[^\s]+$",
        json_schema_extra=_IMAGE,
    )
    git_branch: str = Field(
        default="main",
        title="Branch",
        description="For git.",
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}$",
        json_schema_extra=_IMAGE,
    )
    git_subfolder: str = Field(
        default="",
        title="Subfolder",
        description="For git: where dbt_project.yml lies within the repository; empty when at the top.",
        pattern=r"^([A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*)?$",
        json_schema_extra=_IMAGE,
    )
    git_image: str | None = Field(
        default=None,
        title="Git image",
        description="Image with git for the init container. Empty: the same as dbt's.",
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._:/@-]{0,500}$",
        json_schema_extra=_IMAGE,
    )
    cpu_request: Quantity | None = Field(
        default="250m",
        title="CPU requested",
        description="What the scheduler keeps free for it: 500m is half a core.",
        json_schema_extra=_RESOURCES,
    )
    cpu_limit: Quantity | None = Field(
        default=None, title="CPU limit", description="More is throttled. Empty: none.", json_schema_extra=_RESOURCES
    )
    memory_request: Quantity | None = Field(
        default="512Mi", title="Memory requested", description="For example 512Mi or 2Gi.", json_schema_extra=_RESOURCES
    )
    memory_limit: Quantity | None = Field(
        default="2Gi",
        title="Memory limit",
        description="dbt is killed when it needs more. Empty: none.",
        json_schema_extra=_RESOURCES,
    )
    ephemeral_storage_request: Quantity | None = Field(
        default=None, title="Disk requested", description="For example 1Gi.", json_schema_extra=_RESOURCES
    )
    ephemeral_storage_limit: Quantity | None = Field(
        default=None,
        title="Disk limit",
        description="The pod is evicted when it writes more. Empty: none.",
        json_schema_extra=_RESOURCES,
    )
    env: dict[VariableName, str] = Field(
        default_factory=dict,
        title="Environment variables",
        description="Names and values. Never a secret: it would be stored and shown.",
        json_schema_extra=_ENVIRONMENT,
    )
    secret_env: dict[VariableName, SecretKey] = Field(
        default_factory=dict,
        title="Variables from secrets",
        description="DBT_ENV_SECRET_PASSWORD: {secret: warehouse, key: password}",
        json_schema_extra=_ENVIRONMENT,
    )
    env_from: list[EnvironmentSource] = Field(
        default_factory=list,
        title="Whole secrets and config maps",
        description="- secret: warehouse, or - config_map: settings; with prefix if wanted.",
        json_schema_extra=_ENVIRONMENT,
    )
    volumes: list[Volume] = Field(
        default_factory=list,
        title="Volumes",
        description="- {name: cache, mount_path: /cache, claim: dbt-cache}; instead of claim also secret, config_map, "
        "host_path or empty_dir: true.",
        json_schema_extra=_ENVIRONMENT,
    )
    service_account: ObjectName | None = Field(
        default=None,
        title="Service account",
        description="Who the pod is on the cluster. Empty: the namespace's default.",
        json_schema_extra=_PLACEMENT,
    )
    labels: dict[LabelKey, LabelValue] = Field(
        default_factory=dict, title="Labels", description="team: finance", json_schema_extra=_PLACEMENT
    )
    annotations: dict[LabelKey, str] = Field(
        default_factory=dict, title="Annotations", description="Names and values.", json_schema_extra=_PLACEMENT
    )
    node_selector: dict[LabelKey, LabelValue] = Field(
        default_factory=dict,
        title="Node selector",
        description="Labels that the node must have.",
        json_schema_extra=_PLACEMENT,
    )
    tolerations: list[Toleration] = Field(
        default_factory=list,
        title="Tolerations",
        description="- {key: dedicated, operator: Equal, value: dbt, effect: NoSchedule}",
        json_schema_extra=_PLACEMENT,
    )
    affinity: dict[Literal["nodeAffinity", "podAffinity", "podAntiAffinity"], dict[str, Any]] = Field(
        default_factory=dict,
        title="Affinity",
        description="As in a pod's manifest: nodeAffinity, podAffinity, podAntiAffinity.",
        json_schema_extra=_PLACEMENT,
    )
    startup_timeout_seconds: int = Field(
        default=300,
        title="Start-up timeout (seconds)",
        description="Airflow gives up when the pod has not started by then.",
        ge=10,
        le=24 * 3600,
        json_schema_extra=_LIFE,
    )
    active_deadline_seconds: int | None = Field(
        default=4 * 3600,
        title="Deadline (seconds)",
        description="Kubernetes ends the pod when it has existed so long. Empty: never.",
        ge=10,
        le=7 * 24 * 3600,
        json_schema_extra=_LIFE,
    )
    grace_period_seconds: int = Field(
        default=60,
        title="Grace period (seconds)",
        description="How long dbt may take to stop its queries and write its results when the pod is ended.",
        ge=1,
        le=MOST_GRACE_SECONDS,
        json_schema_extra=_LIFE,
    )
    on_finish_action: OnFinish = Field(
        default=OnFinish.DELETE_POD,
        title="When it has ended",
        description="Delete the pod, only if it succeeded, or keep it to look into.",
        json_schema_extra=_LIFE,
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

    @model_validator(mode="after")
    def _requests_fit_limits(self) -> "PodParameters":
        for name in ("cpu", "memory", "ephemeral_storage"):
            request, limit = getattr(self, f"{name}_request"), getattr(self, f"{name}_limit")
            if request and limit and amount(request) > amount(limit):
                raise ValueError(f"{name}_request {request} is more than {name}_limit {limit}")
        return self

    @model_validator(mode="after")
    def _holds_no_secret(self) -> "PodParameters":
        for name in self.env:
            if SECRET_KEY.search(name):
                raise ValueError(f"'{name}' in env looks like a secret: refer to a Secret in secret_env instead")
        if self.git_url and self.git_url.startswith("https://") and "@" in self.git_url.split("/")[2]:
            raise ValueError("git_url holds a user name or password, which would be stored and shown")
        return self

    @model_validator(mode="after")
    def _source_is_whole(self) -> "PodParameters":
        if self.project_source == "git" and not self.git_url:
            raise ValueError("project_source git needs a git_url")
        return self
