"""A cluster that Google is asked to make: what may be asked, as request and as gcloud command.

Field names of the request are those of google.container.v1.Cluster, so that the console's client and Airflow's
GKECreateClusterOperator take the same body. Limits are Google's own (cloud.google.com/kubernetes-engine/docs).
"""

import shlex
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints, field_validator, model_validator

from contracts import gke_networks as networks
from contracts import gke_requests
from contracts.gke_names import CLUSTER_NAME, LOCATION, MARKS, PROJECT_ID, region_of
from contracts.gke_networks import Cidr, NetworkName, RangeName, SubnetworkName

RANGES = ("pod_range", "service_range", "control_plane_range")
_MOST_LABELS = 64 - len(MARKS)

ResourceLabelKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
ResourceLabelValue = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,63}$")]
Zone = Annotated[str, StringConstraints(pattern=LOCATION)]

_WHERE: dict[str, JsonValue] = {"section": "Where"}
_NETWORK: dict[str, JsonValue] = {"section": "Network"}
_ACCESS: dict[str, JsonValue] = {"section": "Who reaches its control plane"}
_NODES: dict[str, JsonValue] = {"section": "Nodes"}
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


class ClusterSpec(BaseModel):
    """Everything that may be asked of a new cluster. Closed by default: no public address, private nodes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    OF_NODES: ClassVar[tuple[str, ...]] = (
        "zones", "machine_type", "disk_type", "disk_size_gb", "spot", "node_count", "autoscaling", "min_nodes",
        "max_nodes", "node_service_account", "workload_identity",
    )  # fmt: skip
    """What Autopilot decides by itself."""

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
    network: NetworkName = Field(
        default="default",
        title="Network",
        description="Of a Shared VPC: projects/HOST/global/networks/NAME.",
        json_schema_extra=_NETWORK,
    )
    subnetwork: SubnetworkName | None = Field(
        default=None,
        title="Subnetwork",
        description="Empty: the network's own in that region. Of a Shared VPC: projects/HOST/regions/R/subnetworks/S.",
        json_schema_extra=_NETWORK,
    )
    private_nodes: bool = Field(
        default=True,
        title="Private nodes",
        description="Nodes have no public address. They then need Cloud NAT to reach the internet, also for images "
        "that are not in Artifact Registry.",
        json_schema_extra=_NETWORK,
    )
    pod_range: Cidr | None = Field(
        default=None,
        title="Range of pods",
        description="A free range such as 10.96.0.0/14. Empty: Google chooses.",
        json_schema_extra=_NETWORK,
    )
    pod_range_name: RangeName | None = Field(
        default=None,
        title="Secondary range of pods",
        description="Name of a secondary range of the subnetwork, instead of a range.",
        json_schema_extra=_NETWORK,
    )
    service_range: Cidr | None = Field(
        default=None,
        title="Range of services",
        description="A free range such as 10.94.0.0/20. Empty: Google chooses.",
        json_schema_extra=_NETWORK,
    )
    service_range_name: RangeName | None = Field(
        default=None,
        title="Secondary range of services",
        description="Name of a secondary range of the subnetwork, instead of a range.",
        json_schema_extra=_NETWORK,
    )
    control_plane_range: Cidr | None = Field(
        default=None,
        title="Range of the control plane",
        description="A free /28, for private nodes where your network's rules want one. Empty: none is needed.",
        json_schema_extra=_NETWORK,
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
    zones: list[Zone] = Field(
        default_factory=list,
        max_length=20,
        title="Zones of the nodes",
        description="For a region: which of its zones get nodes. Empty: three, each with the number of nodes below.",
        json_schema_extra=_NODES,
    )
    machine_type: str = Field(
        default="e2-standard-2",
        title="Machine type",
        description="For example e2-standard-4.",
        pattern=r"^[a-z][a-z0-9]{0,9}(-[a-z0-9]+){1,5}$",
        json_schema_extra=_NODES,
    )
    disk_type: str = Field(
        default="pd-balanced",
        title="Disk type",
        description="pd-standard, pd-balanced, pd-ssd or hyperdisk-balanced.",
        pattern=r"^(pd-standard|pd-balanced|pd-ssd|hyperdisk-balanced)$",
        json_schema_extra=_NODES,
    )
    disk_size_gb: int = Field(default=50, title="Disk (GB)", ge=10, le=65536, json_schema_extra=_NODES)
    spot: bool = Field(
        default=False,
        title="Spot machines",
        description="Much cheaper, and Google may take one away at any time: the run on it is then lost.",
        json_schema_extra=_NODES,
    )
    node_count: int = Field(default=1, title="Nodes in each zone", ge=0, le=1000, json_schema_extra=_NODES)
    autoscaling: bool = Field(
        default=True,
        title="Autoscaling",
        description="Google adds and removes nodes as pods need them.",
        json_schema_extra=_NODES,
    )
    min_nodes: int = Field(default=0, title="At least, in each zone", ge=0, le=1000, json_schema_extra=_NODES)
    max_nodes: int = Field(default=3, title="At most, in each zone", ge=1, le=1000, json_schema_extra=_NODES)
    node_service_account: str | None = Field(
        default=None,
        title="Service account of the nodes",
        description="Its e-mail address. Empty: the project's default one.",
        pattern=r"^[a-z0-9-]{1,63}@[a-z0-9.-]+\.gserviceaccount\.com$",
        json_schema_extra=_NODES,
    )
    workload_identity: bool = Field(
        default=True,
        title="Workload identity",
        description="Pods act as Google service accounts without keys. Autopilot always has it.",
        json_schema_extra=_NODES,
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
    def _ranges_fit(self) -> "ClusterSpec":
        for field in ("pod_range", "service_range"):
            if getattr(self, field) and getattr(self, f"{field}_name"):
                raise ValueError(f"{field} and {field}_name exclude each other")
        networks.check_size("pod_range", self.pod_range, largest=9, smallest=21)
        networks.check_size("service_range", self.service_range, largest=16, smallest=28)
        networks.check_size("control_plane_range", self.control_plane_range, largest=28, smallest=28)
        networks.check_apart({name: getattr(self, name) for name in RANGES})
        if self.control_plane_range and not self.private_nodes:
            raise ValueError("control_plane_range is for private_nodes only")
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
        if self.autoscaling and not self.min_nodes <= self.node_count <= self.max_nodes:
            raise ValueError(f"node_count {self.node_count} is not within min_nodes and max_nodes")
        if not self.autoscaling and self.node_count < 1:
            raise ValueError("node_count must be at least 1 without autoscaling")
        for zone in self.zones:
            if zone == self.region or not zone.startswith(f"{self.region}-"):
                raise ValueError(f"zones: {zone} is no zone of {self.region}")
        if self.zones and self.is_zonal:
            raise ValueError("zones are for a cluster of a region")
        return self

    def _autopilot_decides(self) -> "ClusterSpec":
        if self.is_zonal:
            raise ValueError(f"location must be a region for autopilot: {self.region}")
        fields = type(self).model_fields
        for name in self.OF_NODES:
            if getattr(self, name) != fields[name].get_default(call_default_factory=True):
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

    def request(self) -> dict[str, Any]:
        """The `cluster` of a CreateClusterRequest, for `projects/<project_id>/locations/<location>`."""
        return gke_requests.request(self)

    def gcloud_command(self) -> str:
        """The command that makes the same cluster."""
        return shlex.join(gke_requests.gcloud_arguments(self))
