"""Google's control plane of GKE, as far as its clients can tell: clusters, node pools, operations, rights and faults.

Time passes when somebody asks: an operation ends with the first question after its time. A test sets the pace
(`create_seconds`, `delete_seconds`, `hold`), rights (`deny`, `disable_api`) and faults (`refuse`, `fail_operation`).
"""

import threading
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

from google.cloud.container_v1 import types

from tests.google import errors
from tests.google.clusters import (
    NOWHERE,
    VERSION,
    ClusterStatus,
    Endpoint,
    PoolStatus,
    accepted,
    bring_up,
    check,
    new_pool,
)
from tests.google.errors import Refusal
from tests.google.operations import Kind, Running, Status

_DOING = {
    Kind.CREATE_CLUSTER: "creating",
    Kind.DELETE_CLUSTER: "deleting",
    Kind.CREATE_NODE_POOL: "updating",
    Kind.DELETE_NODE_POOL: "updating",
}
RPCS: dict[str, tuple[Any, str]] = {
    "ListClusters": (types.ListClustersRequest, "container.clusters.list"),
    "GetCluster": (types.GetClusterRequest, "container.clusters.get"),
    "CreateCluster": (types.CreateClusterRequest, "container.clusters.create"),
    "DeleteCluster": (types.DeleteClusterRequest, "container.clusters.delete"),
    "SetLabels": (types.SetLabelsRequest, "container.clusters.update"),
    "ListNodePools": (types.ListNodePoolsRequest, "container.clusters.get"),
    "GetNodePool": (types.GetNodePoolRequest, "container.clusters.get"),
    "CreateNodePool": (types.CreateNodePoolRequest, "container.clusters.update"),
    "DeleteNodePool": (types.DeleteNodePoolRequest, "container.clusters.update"),
    "ListOperations": (types.ListOperationsRequest, "container.operations.list"),
    "GetOperation": (types.GetOperationRequest, "container.operations.get"),
    "CancelOperation": (types.CancelOperationRequest, "container.operations.list"),
    "GetServerConfig": (types.GetServerConfigRequest, "container.clusters.list"),
}
"""Each call's request and the permission that it needs."""


class ControlPlane:
    """All projects' clusters. Every public method may be called from any thread."""

    def __init__(self, endpoint: Endpoint = NOWHERE) -> None:
        self.endpoint = endpoint
        self.create_seconds = 0.3
        self.delete_seconds = 0.2
        self.calls: list[tuple[str, str]] = []
        """Every call that came in: its name, and what it was about."""
        self._lock = threading.RLock()
        self._clusters: dict[str, types.Cluster] = {}
        self._operations: dict[str, Running] = {}
        self._denied: set[str] = set()
        self._disabled: set[str] = set()
        self._refusals: dict[str, deque[Refusal]] = defaultdict(deque)
        self._failures: dict[int, deque[Refusal]] = defaultdict(deque)
        self._held: set[int] = set()

    # what a test sets and sees

    @property
    def clusters(self) -> dict[str, types.Cluster]:
        """All clusters by full name, as they are now."""
        with self._lock:
            self._settle()
            return dict(self._clusters)

    def add_cluster(self, project: str, location: str, cluster: types.Cluster | str) -> types.Cluster:
        """A cluster that runs already."""
        asked = types.Cluster(name=cluster, initial_node_count=1) if isinstance(cluster, str) else cluster
        with self._lock:
            made = accepted(asked, f"projects/{project}/locations/{location}", self.endpoint)
            bring_up(made, self.endpoint)
            self._clusters[f"projects/{project}/locations/{location}/clusters/{made.name}"] = made
            return made

    def deny(self, *permissions: str) -> None:
        """Take permissions away from everybody, e.g. container.clusters.create."""
        self._denied.update(permissions)

    def allow(self, *permissions: str) -> None:
        """Give them back."""
        self._denied.difference_update(permissions)

    def may(self, permission: str) -> bool:
        """Whether callers have a permission."""
        return permission not in self._denied

    def disable_api(self, project: str) -> None:
        """Turn the Kubernetes Engine API off in a project."""
        self._disabled.add(project)

    def refuse(self, rpc: str, *refusals: Refusal) -> None:
        """Answer the next calls of this name with these errors, in their order; `rpc` as in RPCS."""
        self._refusals[rpc].extend(refusals)

    def fail_operation(self, kind: int, refusal: Refusal) -> None:
        """Let the next operation of this kind be accepted and then end with an error."""
        self._failures[kind].append(refusal)

    def hold(self, *kinds: int) -> None:
        """Operations of these kinds, also those that run, don't end until they are released."""
        with self._lock:
            self._held.update(kinds)
            for one in self._operations.values():
                one.is_held = one.kind in self._held

    def release(self, *kinds: int) -> None:
        """Let what was held go on: these kinds, or all."""
        with self._lock:
            self._held.difference_update(kinds or set(self._held))
            for one in self._operations.values():
                one.is_held = one.kind in self._held

    # the calls

    def call(self, rpc: str, request: Any) -> Any:
        """Answer one call. Raises Refusal."""
        about = getattr(request, "name", "") or getattr(request, "parent", "")
        with self._lock:
            self.calls.append((rpc, about))
            self._settle()
            self._check_rights(rpc, about)
            if self._refusals[rpc]:
                raise self._refusals[rpc].popleft()
            answer: Callable[[Any], Any] = getattr(self, _snake(rpc))
            return answer(request)

    def list_clusters(self, request: types.ListClustersRequest) -> types.ListClustersResponse:
        prefix = _prefix(request.parent)
        found = [cluster for name, cluster in self._clusters.items() if name.startswith(prefix)]
        return types.ListClustersResponse(clusters=found)

    def get_cluster(self, request: types.GetClusterRequest) -> types.Cluster:
        return self._cluster(request.name)

    def create_cluster(self, request: types.CreateClusterRequest) -> types.Operation:
        check(request.cluster, request.parent.split("/")[3])
        name = f"{request.parent}/clusters/{request.cluster.name}"
        if name in self._clusters:
            raise errors.already_exists(name)
        cluster = self._clusters[name] = accepted(request.cluster, request.parent, self.endpoint)

        def fail(refusal: Refusal) -> None:
            cluster.status, cluster.status_message = ClusterStatus.ERROR, refusal.message
            condition = types.StatusCondition(message=refusal.message, canonical_code=refusal.code)
            cluster.conditions = [condition]

        return self._start(
            Kind.CREATE_CLUSTER, name, self.create_seconds, lambda: bring_up(cluster, self.endpoint), fail
        )

    def delete_cluster(self, request: types.DeleteClusterRequest) -> types.Operation:
        cluster = self._idle(request.name)
        before, cluster.status = cluster.status, ClusterStatus.STOPPING

        def fail(refusal: Refusal) -> None:
            cluster.status, cluster.status_message = before, refusal.message

        done = lambda: self._clusters.pop(request.name, None)  # noqa: E731
        return self._start(Kind.DELETE_CLUSTER, request.name, self.delete_seconds, done, fail)

    def set_labels(self, request: types.SetLabelsRequest) -> types.Operation:
        cluster = self._idle(request.name)
        cluster.resource_labels = dict(request.resource_labels)
        return self._start(Kind.SET_LABELS, request.name, 0.0)

    def list_node_pools(self, request: types.ListNodePoolsRequest) -> types.ListNodePoolsResponse:
        return types.ListNodePoolsResponse(node_pools=self._cluster(request.parent).node_pools)

    def get_node_pool(self, request: types.GetNodePoolRequest) -> types.NodePool:
        cluster, _, wanted = request.name.partition("/nodePools/")
        for pool in self._cluster(cluster).node_pools:
            if pool.name == wanted:
                return pool
        raise errors.not_found(request.name)

    def create_node_pool(self, request: types.CreateNodePoolRequest) -> types.Operation:
        cluster = self._idle(request.parent)
        if any(pool.name == request.node_pool.name for pool in cluster.node_pools):
            raise errors.already_exists(f"{request.parent}/nodePools/{request.node_pool.name}")
        cluster.node_pools.append(new_pool(request.node_pool, request.parent))
        name = f"{request.parent}/nodePools/{request.node_pool.name}"
        up = lambda: setattr(cluster.node_pools[-1], "status", PoolStatus.RUNNING)  # noqa: E731
        return self._start(Kind.CREATE_NODE_POOL, name, self.create_seconds, up)

    def delete_node_pool(self, request: types.DeleteNodePoolRequest) -> types.Operation:
        self.get_node_pool(types.GetNodePoolRequest(name=request.name))
        owner, _, gone = request.name.partition("/nodePools/")
        cluster = self._idle(owner)

        def remove() -> None:
            cluster.node_pools = [pool for pool in cluster.node_pools if pool.name != gone]

        return self._start(Kind.DELETE_NODE_POOL, request.name, self.delete_seconds, remove)

    def list_operations(self, request: types.ListOperationsRequest) -> types.ListOperationsResponse:
        prefix = _prefix(request.parent)
        found = [one.message() for name, one in self._operations.items() if name.startswith(prefix)]
        return types.ListOperationsResponse(operations=found)

    def get_operation(self, request: types.GetOperationRequest) -> types.Operation:
        return self._operation(request.name).message()

    def cancel_operation(self, request: types.CancelOperationRequest) -> None:
        running = self._operation(request.name)
        if running.kind is not Kind.CREATE_CLUSTER or running.status is Status.DONE:
            raise errors.invalid(f"Operation {running.name} cannot be cancelled.")
        running.error = Refusal(1, "Operation was cancelled.")
        running.end()

    def get_server_config(self, request: types.GetServerConfigRequest) -> types.ServerConfig:
        channel = types.ServerConfig.ReleaseChannelConfig(
            channel=types.ReleaseChannel.Channel.REGULAR, default_version=VERSION, valid_versions=[VERSION]
        )
        return types.ServerConfig(
            default_cluster_version=VERSION, valid_master_versions=[VERSION], valid_node_versions=[VERSION],
            default_image_type="COS_CONTAINERD", channels=[channel],
        )  # fmt: skip

    # how they do it

    def _settle(self) -> None:
        for one in list(self._operations.values()):
            one.settle()

    def _check_rights(self, rpc: str, about: str) -> None:
        project = about.split("/")[1] if about.startswith("projects/") else ""
        if project in self._disabled:
            raise errors.api_disabled(project)
        permission = RPCS[rpc][1]
        if permission in self._denied:
            raise errors.permission_denied(permission, project)

    def _cluster(self, name: str) -> types.Cluster:
        if name not in self._clusters:
            raise errors.not_found(name)
        return self._clusters[name]

    def _operation(self, name: str) -> Running:
        if name not in self._operations:
            raise errors.not_found(name)
        return self._operations[name]

    def _idle(self, name: str) -> types.Cluster:
        """The cluster, unless an operation on it is running."""
        cluster = self._cluster(name)
        for one in self._operations.values():
            if one.status is not Status.DONE and one.target.partition("/nodePools/")[0] == name:
                raise errors.busy(one.name, cluster.name, _DOING.get(one.kind, "updating"))
        return cluster

    def _start(
        self,
        kind: int,
        target: str,
        seconds: float,
        finish: Callable[[], object] = lambda: None,
        fail: Callable[[Refusal], object] = lambda _: None,
    ) -> types.Operation:
        parent = "/".join(target.split("/")[:4])
        running = Running(parent, kind, target, seconds, finish, fail, is_held=kind in self._held)
        if self._failures[kind]:
            running.error = self._failures[kind].popleft()
        self._operations[f"{parent}/operations/{running.name}"] = running
        return running.message()


def _prefix(parent: str) -> str:
    """What the names of a location's things begin with; the location `-` means all."""
    return f"{parent}/" if parent.split("/")[3] != "-" else "/".join(parent.split("/")[:2]) + "/"


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
