"""Networks as GKE takes them: CIDR ranges, and names of networks that may lie in a host project."""

import re
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from itertools import combinations
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

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
