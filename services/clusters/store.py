"""The clusters that the console knows: registered by a person, asked by console and collector."""

import re
from datetime import UTC, datetime
from typing import Any

from sqlmodel import col, select

from contracts.gke.names import ClusterAddress, cluster_of
from contracts.operators import OperatorName
from models.cluster import Cluster, ClusterPods, Pod
from models.run import Run
from models.system import SystemHealth
from services.database import session
from services.errors import InvalidInput, NotFound
from services.rights import require_change_of_clusters

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_NAME = re.compile(r"^[a-z][a-z0-9-]{0,49}$")


def clusters() -> list[Cluster]:
    """All registered clusters by name."""
    with session() as opened:
        return list(opened.exec(select(Cluster).order_by(col(Cluster.name))))


def get_cluster(name: str) -> Cluster:
    """One cluster: a registered one by its name, one in Google by its path. Raises NotFound."""
    if ClusterAddress.of_path(name):
        return in_google(name)
    with session() as opened:
        found = opened.exec(select(Cluster).where(Cluster.name == name)).one_or_none()
    if found is None:
        raise NotFound(f"There is no cluster '{name}'.", hint="Register it on the page Clusters.")
    return found


def in_google(path: str) -> Cluster:
    """A cluster in Google: known there, and not registered here. How it is reached Google tells when it is asked."""
    return Cluster(name=path, created_by="", created_at=_ALWAYS)


def cluster_of_run(run: Run) -> str | None:
    """The cluster that a run's pods are on: a registered one's name, or the path of one in Google."""
    parameters: dict[str, Any] = run.conf.get("operator_parameters") or {}
    if run.operator is not OperatorName.GKE:
        return parameters.get("cluster")
    address = cluster_of(parameters, project=run.project, dag_id=run.dag_id, dag_run_id=run.dag_run_id)
    return address.path if address else None


def register(name: str, *, kubeconfig: str | None, context: str | None, by: str) -> Cluster:
    """Add a cluster, or say anew how a known one is reached. Raises InvalidInput, NotAllowed. Connects to nothing."""
    require_change_of_clusters(by)
    name = name.strip()
    if not _NAME.match(name):
        raise InvalidInput(
            "A cluster's name has lower-case letters, digits and dashes, and begins with a letter.", field="name"
        )
    if kubeconfig and not kubeconfig.startswith(("/", "~")):
        raise InvalidInput("Give the whole path of the kubeconfig on the console's machine.", field="kubeconfig")
    with session() as opened:
        cluster = opened.exec(select(Cluster).where(Cluster.name == name)).one_or_none()
        cluster = cluster or Cluster(name=name, created_by=by)
        cluster.kubeconfig, cluster.context = kubeconfig or None, context or None
        opened.add(cluster)
    return cluster


def forget(name: str, *, by: str) -> None:
    """Remove a cluster from the list; nothing on the cluster changes. Raises NotAllowed. Repeatable."""
    require_change_of_clusters(by)
    with session() as opened:
        for cluster in opened.exec(select(Cluster).where(Cluster.name == name)):
            opened.delete(cluster)
        for known in (opened.get(SystemHealth, system_of(name)), opened.get(ClusterPods, name)):
            if known:
                opened.delete(known)


def system_of(name: str) -> str:
    """The name under which a cluster's health is stored."""
    return f"cluster:{name}"


def pod_of(invocation_id: int) -> Pod | None:
    """The pod of an invocation as last seen, or None."""
    with session() as opened:
        return opened.exec(select(Pod).where(Pod.invocation_id == invocation_id)).one_or_none()
