"""The network of a new GKE cluster: CIDR ranges, and names of networks that may lie in a host project."""

import re
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from itertools import combinations
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints, model_validator

_NETWORK = re.compile(r"^projects/(?P<project>[^/]+)/global/networks/[^/]+$")
_SUBNETWORK = re.compile(r"^projects/(?P<project>[^/]+)/regions/(?P<region>[^/]+)/subnetworks/[^/]+$")
_RESOURCE = r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"

NetworkName = Annotated[
    str, StringConstraints(pattern=rf"^(projects/[a-z0-9.:-]{{6,80}}/global/networks/)?{_RESOURCE}$")
]
SubnetworkName = Annotated[
    str, StringConstraints(pattern=rf"^(projects/[a-z0-9.:-]{{6,80}}/regions/[a-z0-9-]+/subnetworks/)?{_RESOURCE}$")
]
RangeName = Annotated[str, StringConstraints(pattern=rf"^{_RESOURCE}$")]


def network(cidr: str) -> IPv4Network:
    """The network that a CIDR means. Raises ValueError in words."""
    try:
        return IPv4Network(cidr.strip())
    except (AddressValueError, NetmaskValueError) as error:
        raise ValueError(f"'{cidr}' is no network: write for example 203.0.113.0/24") from error
    except ValueError as error:
        raise ValueError(f"'{cidr}' has bits set behind its prefix: write {IPv4Network(cidr, strict=False)}") from error


def _checked(cidr: str) -> str:
    if "/" not in cidr:
        raise ValueError(f"'{cidr}' lacks its prefix length: write for example {cidr}/32")
    return str(network(cidr))


Cidr = Annotated[str, AfterValidator(_checked)]


def check_size(field: str, cidr: str | None, *, largest: int, smallest: int) -> None:
    """Refuse a range that GKE finds too large or too small. Raises ValueError."""
    if cidr and not largest <= network(cidr).prefixlen <= smallest:
        sizes = f"/{largest}" if largest == smallest else f"between /{largest} and /{smallest}"
        raise ValueError(f"{field} {cidr} must have a size of {sizes}")


def check_apart(ranges: dict[str, str | None]) -> None:
    """Refuse ranges that overlap each other. Raises ValueError naming both."""
    given = [(name, cidr) for name, cidr in ranges.items() if cidr]
    for (name, cidr), (other_name, other) in combinations(given, 2):
        if network(cidr).overlaps(network(other)):
            raise ValueError(f"{name} {cidr} overlaps {other_name} {other}")


def host_project(name: str) -> str | None:
    """The project that a network or subnetwork of a Shared VPC lies in; None for a bare name."""
    match = _NETWORK.match(name) or _SUBNETWORK.match(name)
    return match["project"] if match else None


def region_of_subnetwork(name: str) -> str | None:
    """The region in a subnetwork's full name; None for a bare name."""
    match = _SUBNETWORK.match(name)
    return match["region"] if match else None


RANGES = ("pod_range", "service_range", "control_plane_range")
_SECTION: dict[str, JsonValue] = {"section": "Network"}


class NetworkSpec(BaseModel):
    """Where a new cluster's nodes, pods and services live."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    network: NetworkName = Field(
        default="default",
        title="Network",
        description="Of a Shared VPC: projects/HOST/global/networks/NAME.",
        json_schema_extra=_SECTION,
    )
    subnetwork: SubnetworkName | None = Field(
        default=None,
        title="Subnetwork",
        description="Empty: the network's own in that region. Of a Shared VPC: projects/HOST/regions/R/subnetworks/S.",
        json_schema_extra=_SECTION,
    )
    private_nodes: bool = Field(
        default=True,
        title="Private nodes",
        description="Nodes have no public address. They then need Cloud NAT to reach the internet, also for images "
        "that are not in Artifact Registry.",
        json_schema_extra=_SECTION,
    )
    pod_range: Cidr | None = Field(
        default=None,
        title="Range of pods",
        description="A free range such as 10.96.0.0/14. Empty: Google chooses.",
        json_schema_extra=_SECTION,
    )
    pod_range_name: RangeName | None = Field(
        default=None,
        title="Secondary range of pods",
        description="Name of a secondary range of the subnetwork, instead of a range.",
        json_schema_extra=_SECTION,
    )
    service_range: Cidr | None = Field(
        default=None,
        title="Range of services",
        description="A free range such as 10.94.0.0/20. Empty: Google chooses.",
        json_schema_extra=_SECTION,
    )
    service_range_name: RangeName | None = Field(
        default=None,
        title="Secondary range of services",
        description="Name of a secondary range of the subnetwork, instead of a range.",
        json_schema_extra=_SECTION,
    )
    control_plane_range: Cidr | None = Field(
        default=None,
        title="Range of the control plane",
        description="A free /28, for private nodes where your network's rules want one. Empty: none is needed.",
        json_schema_extra=_SECTION,
    )

    @model_validator(mode="after")
    def _ranges_fit(self) -> Self:
        for field in ("pod_range", "service_range"):
            if getattr(self, field) and getattr(self, f"{field}_name"):
                raise ValueError(f"{field} and {field}_name exclude each other")
        check_size("pod_range", self.pod_range, largest=9, smallest=21)
        check_size("service_range", self.service_range, largest=16, smallest=28)
        check_size("control_plane_range", self.control_plane_range, largest=28, smallest=28)
        check_apart({name: getattr(self, name) for name in RANGES})
        if self.control_plane_range and not self.private_nodes:
            raise ValueError("control_plane_range is for private_nodes only")
        return self
