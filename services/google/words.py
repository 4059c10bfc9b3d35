"""Clusters in plain words: what creating or deleting one means, how one stands, and what it costs. Pure.

No price is told: Google's depend on region, contract and time. What they are counted by is told instead.
"""

import shlex
from dataclasses import dataclass
from datetime import datetime

from contracts.gke.clusters import ClusterMode, ClusterSpec
from models.google import GoogleCluster, GoogleOperation

_ZONES_OF_A_REGION = 3


@dataclass(frozen=True)
class StatusStyle:
    """A status of Google's for people: word, icon, glyph for tables, colour."""

    word: str
    icon: str
    glyph: str
    colour: str


_STATUSES = {
    "PROVISIONING": StatusStyle("Being created", ":material/progress_activity:", "◔", "blue"),
    "RUNNING": StatusStyle("Running", ":material/check_circle:", "✔", "green"),
    "RECONCILING": StatusStyle("Being changed", ":material/progress_activity:", "◔", "blue"),
    "STOPPING": StatusStyle("Being deleted", ":material/delete:", "◌", "orange"),
    "DEGRADED": StatusStyle("Degraded", ":material/warning:", "▲", "orange"),
    "ERROR": StatusStyle("Error", ":material/error:", "✖", "red"),
}


def status_style(status: str) -> StatusStyle:
    """How a cluster's status is shown; one that is new to us by Google's own word."""
    return _STATUSES.get(status) or StatusStyle(status.capitalize() or "Unknown", ":material/help:", "?", "gray")


def consequences(spec: ClusterSpec) -> list[str]:
    """What creating it means, a sentence each."""
    kind = "an Autopilot cluster" if spec.mode is ClusterMode.AUTOPILOT else "a cluster"
    found = [f"Google makes {kind} named {spec.name} in {spec.location} of {spec.project_id}, in about ten minutes."]
    found += [_nodes(spec), _reach(spec)]
    if not spec.dns_endpoint and not spec.has_public_address:
        found.append("Console and Airflow reach it only from its own network.")
    if spec.private_nodes:
        found.append(
            "Its nodes have no public address: to pull images from elsewhere than Google, the network needs NAT."
        )
    if spec.spot:
        found.append("Its machines are spot: Google may take one away at any time, and the run on it is lost then.")
    return [*found, "It stays, and costs, until it is deleted here or at Google."]


def _nodes(spec: ClusterSpec) -> str:
    if spec.mode is ClusterMode.AUTOPILOT:
        return "Google charges a fee for the cluster as long as it exists, and for what pods request while they run."
    zones = 1 if spec.is_zonal else len(spec.zones) or _ZONES_OF_A_REGION
    first, most = zones * spec.node_count, zones * spec.max_nodes
    grows = f", growing to {most} and shrinking to {zones * spec.min_nodes} as needed" if spec.autoscaling else ""
    machines = "machine" if first == 1 else "machines"
    return (
        f"It starts with {first} {machines} of type {spec.machine_type}{grows}. Google charges for them, and a fee for "
        "the cluster, as long as they exist, also when nothing runs."
    )


def _reach(spec: ClusterSpec) -> str:
    by_name = " By its DNS name, whoever Google's IAM allows reaches it from anywhere." if spec.dns_endpoint else ""
    if spec.open_to_internet:
        return (
            f"Any address on the internet can reach its control plane: credentials are all that protects it.{by_name}"
        )
    if spec.authorised_networks:
        allowed = ", ".join(spec.authorised_networks)
        return f"Its control plane has a public address that only {allowed} can reach.{by_name}"
    return f"Its control plane has no public address.{by_name}"


def cost_hint(cluster: GoogleCluster, *, now: datetime) -> str:
    """What Google counts for it, as far as the listing tells."""
    if cluster.created_at is None:
        return ""
    hours = max((now - cluster.created_at).total_seconds() / 3600, 0)
    fee = f"a cluster's fee for {hours:,.1f} hours so far"
    if cluster.is_autopilot:
        return f"Google counts {fee}, and what its pods requested while they ran."
    machines = ", ".join(sorted({str(pool["machine_type"]) for pool in cluster.node_pools if pool["machine_type"]}))
    counted = f"{hours * cluster.node_count:,.1f} machine hours ({machines})" if machines else "its machines"
    nodes = "node" if cluster.node_count == 1 else f"{cluster.node_count} nodes"
    return f"Google counts {fee}, and {counted} if it always had the {nodes} of now."


def get_credentials_command(cluster: GoogleCluster) -> str:
    """The gcloud command that lets kubectl in."""
    words = ["gcloud", "container", "clusters", "get-credentials", cluster.name]
    words += [f"--project={cluster.project_id}", f"--location={cluster.location}"]
    return shlex.join([*words, "--dns-endpoint"] if cluster.access.get("dns") else words)


def progress(operation: GoogleOperation) -> float | None:
    """How much of an operation is done, between 0 and 1, when Google tells; None when it doesn't."""
    told = [stage for stage in operation.stages if stage.get("total")]
    if not told:
        return None
    done = sum(min(float(stage["done"]) / float(stage["total"]), 1) for stage in told)
    return done / max(len(told), _STAGES_OF_A_CREATE)


_STAGES_OF_A_CREATE = 3
"""Google names a stage only when it begins."""


def stage_words(operation: GoogleOperation) -> str:
    """What Google is at: `Deploying, 2 of 3`."""
    under_way = [stage for stage in operation.stages if stage.get("status") != "DONE"] or operation.stages[-1:]
    if not under_way:
        return ""
    stage = under_way[0]
    total = stage.get("total")
    return f"{stage['name']}, {stage['done']:g} of {total:g}" if total else str(stage["name"])


def endpoint_words(cluster: GoogleCluster) -> str:
    """Which kinds of endpoint it has: `DNS, private`."""
    kinds = {"dns": "DNS", "public": "public", "private": "private"}
    return ", ".join(word for kind, word in kinds.items() if cluster.access.get(kind)) or "none yet"


def pool_words(pools: list[dict[str, object]]) -> str:
    """Its pools in a cell: `2 × e2-standard-4 spot`."""
    return ", ".join(
        f"{pool['name']}: {pool['machine_type']}{' spot' if pool['spot'] else ''}"
        for pool in pools
        if pool["machine_type"]
    )
