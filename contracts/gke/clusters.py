"""A cluster that Google is asked to make: what may be asked, as request and as gcloud command.

Field names of the request are those of google.container.v1.Cluster, so that the console's client and Airflow's
GKECreateClusterOperator take the same body. Limits are Google's own (cloud.google.com/kubernetes-engine/docs).
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints, field_validator, model_validator

from contracts.gke import networks
from contracts.gke.names import CLUSTER_NAME, LOCATION, MARKS, PROJECT_ID, region_of
from contracts.gke.networks import Cidr, NetworkSpec
from contracts.gke.nodes import NodeSpec

_MOST_LABELS = 64 - len(MARKS)

ResourceLabelKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
ResourceLabelValue = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,63}$")]

_WHERE: dict[str, JsonValue] = {"section": "Where"}
_ACCESS: dict[str, JsonValue] = {"section": "Who reaches its control plane"}
_MORE: dict[str, JsonValue] = {"section": "More"}


class ClusterMode(StrEnum):
    """Who takes care of the nodes."""

    AUTOPILOT = "autopilot"
    STANDARD = "standard"


class ReleaseChannel(StrEnum):
    """How early Google's upgrades come."""

    RAPID = "rapid"
    REGULAR = "regular"
    STABLE = "stable"
    EXTENDED = "extended"


class ClusterSpec(NetworkSpec, NodeSpec):
    """Everything that may be asked of a new cluster. Closed by default: no public address, private nodes."""

    project_id: str = Field(title="Google project", description="Its id.", pattern=PROJECT_ID, json_schema_extra=_WHERE)
    location: str = Field(
        title="Location",
        description="A region such as europe-west1, or for Standard also a zone such as europe-west1-b.",
        pattern=LOCATION,
        json_schema_extra=_WHERE,
    )
    name: str = Field(
        title="Name",
        description="At most 40 lower-case letters, digits and dashes; begins with a letter.",
        pattern=CLUSTER_NAME,
        json_schema_extra=_WHERE,
    )
    mode: ClusterMode = Field(
        default=ClusterMode.AUTOPILOT,
        title="Mode",
        description="autopilot: Google makes nodes as pods ask for them. standard: node pools of your own.",
        json_schema_extra=_WHERE,
    )
    dns_endpoint: bool = Field(
        default=True,
        title="DNS endpoint",
        description="Its control plane is reached by a DNS name, and Google's IAM says who may: from anywhere, without "
        "a network of your own.",
        json_schema_extra=_ACCESS,
    )
    authorised_networks: list[Cidr] = Field(
        default_factory=list,
        max_length=50,
        title="Authorised networks",
        description="Networks that may reach its control plane by a public address. None: it has no public address.",
        json_schema_extra=_ACCESS,
    )
    open_to_internet: bool = Field(
        default=False,
        title="Open to the internet",
        description="Any address may reach its control plane. Credentials are then all that protects it.",
        json_schema_extra=_ACCESS,
    )
    release_channel: ReleaseChannel = Field(
        default=ReleaseChannel.REGULAR, title="Release channel", json_schema_extra=_MORE
    )
    labels: dict[ResourceLabelKey, ResourceLabelValue] = Field(
        default_factory=dict,
        max_length=_MOST_LABELS,
        title="Labels",
        description="team: finance. Google's bills can be split by them.",
        json_schema_extra=_MORE,
    )

    @field_validator("authorised_networks")
    @classmethod
    def _not_the_world(cls, cidrs: list[str]) -> list[str]:
        for cidr in cidrs:
            if networks.network(cidr).prefixlen < 8:
                raise ValueError(f"{cidr} is a large part of the internet: if you mean it, set open_to_internet")
        return sorted(set(cidrs), key=cidrs.index)

    @field_validator("labels")
    @classmethod
    def _not_reserved(cls, labels: dict[str, str]) -> dict[str, str]:
        for key in labels:
            if key in MARKS or key.startswith("goog"):
                raise ValueError(f"the label '{key}' is set by {'Pilothouse' if key in MARKS else 'Google'}")
        return labels

    @model_validator(mode="after")
    def _access_is_clear(self) -> "ClusterSpec":
        if self.open_to_internet and self.authorised_networks:
            raise ValueError("open_to_internet makes authorised_networks pointless: choose one")
        return self

    @model_validator(mode="after")
    def _network_fits(self) -> "ClusterSpec":
        region = self.subnetwork and networks.region_of_subnetwork(self.subnetwork)
        if region and region != self.region:
            raise ValueError(f"subnetwork lies in {region}, the cluster in {self.region}")
        host = networks.host_project(self.network)
        if self.subnetwork and networks.host_project(self.subnetwork) != host:
            raise ValueError("subnetwork and network lie in different projects")
        if host not in (None, self.project_id) and not (self.pod_range_name and self.service_range_name):
            raise ValueError("pod_range_name and service_range_name are needed on a network of another project")
        return self

    @model_validator(mode="after")
    def _nodes_fit(self) -> "ClusterSpec":
        if self.mode is ClusterMode.AUTOPILOT:
            return self._autopilot_decides()
        self.check_counts()
        for zone in self.zones:
            if zone == self.region or not zone.startswith(f"{self.region}-"):
                raise ValueError(f"zones: {zone} is no zone of {self.region}")
        if self.zones and self.is_zonal:
            raise ValueError("zones are for a cluster of a region")
        return self

    def _autopilot_decides(self) -> "ClusterSpec":
        if self.is_zonal:
            raise ValueError(f"location must be a region for autopilot: {self.region}")
        for name, field in NodeSpec.model_fields.items():
            if getattr(self, name) != field.get_default(call_default_factory=True):
                raise ValueError(f"{name} is for mode standard: autopilot decides it")
        return self

    @property
    def region(self) -> str:
        """The region that the cluster, or its zone, lies in."""
        return region_of(self.location)

    @property
    def is_zonal(self) -> bool:
        """Whether it lives in one zone, its control plane too."""
        return self.location != self.region

    @property
    def has_public_address(self) -> bool:
        """Whether its control plane has a public address, for some networks or for all."""
        return self.open_to_internet or bool(self.authorised_networks)
