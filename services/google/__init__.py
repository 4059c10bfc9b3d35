"""Google Kubernetes Engine: clusters of the configured projects, made and deleted there, and the way into them."""

from models.google import GoogleCluster, GoogleOperation, OperationKind, OperationState
from services.google.draft import problems
from services.google.listing import project_states, refresh
from services.google.operations import create, delete
from services.google.runs import run_of, runs_on
from services.google.store import cluster_at, clusters, open_operations, recent_operations

__all__ = [
    "GoogleCluster",
    "GoogleOperation",
    "OperationKind",
    "OperationState",
    "cluster_at",
    "clusters",
    "create",
    "delete",
    "open_operations",
    "problems",
    "project_states",
    "recent_operations",
    "refresh",
    "run_of",
    "runs_on",
]
