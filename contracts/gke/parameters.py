"""Parameters of the GKE operator: a cluster in Google, one that exists or one made for the run, and the pod."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, ValidationInfo, field_validator

from contracts.gke.clusters import ClusterMode, ClusterSpec
from contracts.gke.names import CLUSTER_NAME, LOCATION, PROJECT_ID
from contracts.pods import PodParameters
from contracts.pods.names import like

ProjectId = Annotated[str, like(PROJECT_ID, "a project's id has 6 to 30 lower-case letters, digits and dashes")]
Location = Annotated[str, like(LOCATION, "name a region such as europe-west1, or a zone such as europe-west1-b")]
ClusterName = Annotated[
    str, like(CLUSTER_NAME, "use at most 40 lower-case letters, digits and dashes, beginning with a letter")
]
ConnectionId = Annotated[
    str, like(r"[A-Za-z_][A-Za-z0-9._-]{0,199}", "begin with a letter; letters, digits, dots, dashes, underscores")
]
ServiceAccount = Annotated[
    str,
    like(
        r"[a-z0-9-]{1,63}@[a-z0-9.-]{1,100}\.gserviceaccount\.com",
        "name a service account by its e-mail address, which ends in .gserviceaccount.com",
    ),
]

_WHERE: dict[str, JsonValue] = {"section": "Where it runs"}
_IDENTITY: dict[str, JsonValue] = {"section": "Who Airflow is in Google"}
_EXISTING: dict[str, JsonValue] = {**_WHERE, "when": {"cluster_mode": "existing"}}
_EPHEMERAL: dict[str, JsonValue] = {**_WHERE, "when": {"cluster_mode": "ephemeral"}}
_GIVEN = ("project_id", "location", "name")
"""What a new cluster's description doesn't say: the parameters do, and the run."""


class ClusterLife(StrEnum):
    """Whether the cluster outlives the run."""

    EXISTING = "existing"
    EPHEMERAL = "ephemeral"


class GoogleCluster(BaseModel):
    """Which cluster, how Airflow reaches it, and what it is made of when it lives for one run only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project_id: ProjectId = Field(title="Google project", description="Its id, not its name.", json_schema_extra=_WHERE)
    location: Location = Field(
        title="Location",
        description="The cluster's region or zone, such as europe-west1 or europe-west1-b.",
        json_schema_extra=_WHERE,
    )
    cluster_mode: ClusterLife = Field(
        default=ClusterLife.EXISTING,
        title="Cluster",
        description="existing: the one named beside. ephemeral: made for each run, deleted when its tasks have ended.",
        json_schema_extra=_WHERE,
    )
    cluster_name: ClusterName | None = Field(
        default=None,
        title="Cluster's name",
        description="Of the existing cluster. An ephemeral one is named after its run.",
        json_schema_extra=_EXISTING,
        validate_default=True,
    )
    new_cluster: dict[str, Any] = Field(
        default_factory=dict,
        title="New cluster",
        description="Of an ephemeral cluster, what the page Clusters asks for, e.g. mode: standard, machine_type: "
        "e2-standard-4, spot: true. Empty: Autopilot, private, reached by its DNS name.",
        json_schema_extra=_EPHEMERAL,
        validate_default=True,
    )
    time_to_live_minutes: int = Field(
        default=6 * 60,
        title="Time to live (minutes)",
        description="An ephemeral cluster is deleted so long after its making even when Airflow could not do it.",
        ge=30,
        le=7 * 24 * 60,
        json_schema_extra=_EPHEMERAL,
    )
    use_dns_endpoint: bool = Field(
        default=False,
        title="By its DNS endpoint",
        description="Airflow reaches the cluster by its DNS name. For an ephemeral cluster without a public address "
        "this is so anyway.",
        json_schema_extra=_WHERE,
    )
    use_internal_ip: bool = Field(
        default=False,
        title="By its internal address",
        description="Airflow's workers are in the cluster's network.",
        json_schema_extra=_WHERE,
        validate_default=True,
    )
    gcp_conn_id: ConnectionId = Field(
        default="google_cloud_default",
        title="Airflow connection",
        description="Of type google_cloud_platform; without a key in it Airflow's own identity counts "
        "(workload identity, or its Application Default Credentials).",
        json_schema_extra=_IDENTITY,
    )
    impersonation_chain: list[ServiceAccount] = Field(
        default_factory=list,
        max_length=10,
        title="Impersonated accounts",
        description="- dbt@my-project.iam.gserviceaccount.com. Each is impersonated by the one before it; the last "
        "one does the work.",
        json_schema_extra=_IDENTITY,
    )

    @field_validator("cluster_name")
    @classmethod
    def _is_named_when_it_exists(cls, name: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("cluster_mode") is ClusterLife.EXISTING and not name:
            raise ValueError("an existing cluster needs its name; or choose ephemeral, and one is made for each run")
        return name

    @field_validator("use_internal_ip")
    @classmethod
    def _is_one_way(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("use_dns_endpoint"):
            raise ValueError("Airflow reaches the cluster by its DNS endpoint or by its internal address, not by both")
        return value

    @field_validator("new_cluster")
    @classmethod
    def _can_be_made(cls, asked: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        is_ephemeral = info.data.get("cluster_mode") is ClusterLife.EPHEMERAL
        if not is_ephemeral or not {"project_id", "location"} <= info.data.keys():
            return asked
        for name in _GIVEN:
            if name in asked:
                raise ValueError(f"leave out {name}: it is said elsewhere, or follows from the run")
        try:
            _spec(asked, project_id=info.data["project_id"], location=info.data["location"], name="any")
        except ValidationError as error:
            raise ValueError("; ".join(_reason(each) for each in error.errors())) from None
        return asked

    @property
    def is_ephemeral(self) -> bool:
        """Whether the cluster is made for the run and deleted with it."""
        return self.cluster_mode is ClusterLife.EPHEMERAL

    @property
    def makes_autopilot(self) -> bool:
        """Whether the cluster that is made is Autopilot: the DAG of a project is for one or for the other."""
        return self.spec("any").mode is ClusterMode.AUTOPILOT

    @property
    def time_to_live(self) -> timedelta:
        """How long an ephemeral cluster may live at most."""
        return timedelta(minutes=self.time_to_live_minutes)

    @property
    def is_reached_by_dns(self) -> bool:
        """Whether Airflow goes by the DNS endpoint: because that was chosen, or because there is no other way."""
        if self.use_dns_endpoint or self.use_internal_ip or not self.is_ephemeral:
            return self.use_dns_endpoint
        spec = self.spec("any")
        return spec.dns_endpoint and not spec.has_public_address

    def spec(self, name: str) -> ClusterSpec:
        """The cluster that is made for a run, under this name."""
        return _spec(self.new_cluster, project_id=self.project_id, location=self.location, name=name)


class GkeParameters(PodParameters, GoogleCluster):
    """Parameters of the GKE operator. All of them may differ per run, except what PER_PROJECT names."""

    PER_PROJECT: ClassVar[frozenset[str]] = PodParameters.PER_PROJECT | {"cluster_mode"}
    """The cluster's life decides which tasks the DAG has."""

    @field_validator("namespace")
    @classmethod
    def _is_there(cls, namespace: str, info: ValidationInfo) -> str:
        if info.data.get("cluster_mode") is ClusterLife.EPHEMERAL and namespace != "default":
            raise ValueError("a cluster that is made for the run has the namespace default, and no other for pods")
        return namespace


def _spec(asked: dict[str, Any], **given: str) -> ClusterSpec:
    return ClusterSpec.model_validate({**asked, **given})


def _reason(problem: Any) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    said = str(problem["msg"]).removeprefix("Value error, ")
    return f"{place}: {said}" if place else said
