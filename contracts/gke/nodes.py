"""The nodes of a new GKE cluster of mode standard; Autopilot decides all of it by itself."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from contracts.gke.names import LOCATION

Zone = Annotated[str, StringConstraints(pattern=LOCATION)]

_NODES: dict[str, JsonValue] = {"section": "Nodes"}


class NodeSpec(BaseModel):
    """One node pool: machines, how many, and who they are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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

    def check_counts(self) -> None:
        """Raises ValueError where the numbers of nodes don't fit each other."""
        if self.autoscaling and not self.min_nodes <= self.node_count <= self.max_nodes:
            raise ValueError(f"node_count {self.node_count} is not within min_nodes and max_nodes")
        if not self.autoscaling and self.node_count < 1:
            raise ValueError("node_count must be at least 1 without autoscaling")
