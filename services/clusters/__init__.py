"""Kubernetes clusters: which the console knows, and what they say of our pods. Never a write, except where asked."""

from models.cluster import Cluster
from services.clusters.client import ClusterClient
from services.clusters.news import ContainerNews, PodEvent, PodNews
from services.clusters.ours import (
    OurPod,
    OurPods,
    PodSummary,
    delete_left_over,
    keep_pods,
    known_pods,
    log_tail,
    our_pods,
)
from services.clusters.store import (
    cluster_of_run,
    clusters,
    forget,
    get_cluster,
    in_google,
    pod_of,
    register,
    system_of,
)

__all__ = [
    "Cluster",
    "ClusterClient",
    "ContainerNews",
    "OurPod",
    "OurPods",
    "PodEvent",
    "PodNews",
    "PodSummary",
    "cluster_of_run",
    "clusters",
    "delete_left_over",
    "forget",
    "get_cluster",
    "in_google",
    "keep_pods",
    "known_pods",
    "log_tail",
    "our_pods",
    "pod_of",
    "register",
    "system_of",
]
