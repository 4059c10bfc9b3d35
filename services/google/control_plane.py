"""Google's control plane of GKE: a facade over google-cloud-container, which signs in.

Every call may raise ConfigurationError (no credentials, or not valid ones), BackendUnreachable, BackendTimeout,
BackendRejected in Google's own words, or NotFound.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from contracts.gke.names import ClusterAddress
from models.google import GoogleCluster
from services.google.credentials import credentials
from services.google.news import OperationNews, cluster_news, operation_news
from services.google.refusals import told

_SECONDS = 20
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Listing:
    """All clusters of a project, but for zones that Google itself could not ask."""

    clusters: list[GoogleCluster]
    missing_zones: frozenset[str]


class ControlPlane:
    """One connection to Google, until `close`."""

    def __init__(self) -> None:
        from google.cloud.container_v1 import ClusterManagerClient

        self.credentials = credentials()
        self._client = ClusterManagerClient(credentials=self.credentials)

    def close(self) -> None:
        """End the connection."""
        self._client.transport.close()  # type: ignore[no-untyped-call]

    def clusters(self, project_id: str) -> Listing:
        """The clusters of a project in all locations."""
        answer = self._ask(
            f"list the clusters of {project_id}",
            self._client.list_clusters,
            parent=f"projects/{project_id}/locations/-",
        )
        found = [cluster_news(each, project_id) for each in answer.clusters]
        return Listing(found, frozenset(answer.missing_zones))

    def cluster(self, address: ClusterAddress) -> Any:
        """One cluster, as Google's own type. Raises NotFound."""
        return self._ask(f"read the cluster {address.name}", self._client.get_cluster, name=_name(address))

    def create(self, project_id: str, location: str, body: dict[str, Any]) -> OperationNews:
        """Ask for a cluster; `body` as contracts.gke.request makes it. Never repeated by itself."""
        from google.cloud.container_v1.types import Cluster

        action = f"create the cluster {body['name']}"
        cluster = Cluster(body)
        parent = f"projects/{project_id}/locations/{location}"
        return operation_news(self._ask(action, self._client.create_cluster, parent=parent, cluster=cluster))

    def delete(self, address: ClusterAddress) -> OperationNews:
        """Ask for a cluster's deletion. Raises NotFound. Never repeated by itself."""
        action = f"delete the cluster {address.name}"
        return operation_news(self._ask(action, self._client.delete_cluster, name=_name(address)))

    def operation(self, project_id: str, location: str, name: str) -> OperationNews:
        """How an operation stands. Raises NotFound."""
        full_name = f"projects/{project_id}/locations/{location}/operations/{name}"
        return operation_news(self._ask("follow the operation", self._client.get_operation, name=full_name))

    def operations(self, project_id: str, location: str) -> list[OperationNews]:
        """The operations of a location, as long as Google remembers them."""
        parent = f"projects/{project_id}/locations/{location}"
        answer = self._ask("list operations", self._client.list_operations, parent=parent)
        return [operation_news(each) for each in answer.operations]

    def _ask(self, action: str, call: Callable[..., _Answer], **request: Any) -> _Answer:
        try:
            return call(request=request, timeout=_SECONDS, retry=None)
        except Exception as error:
            raise told(error, action) from error


@contextmanager
def control_plane() -> Iterator[ControlPlane]:
    """A connection for a few questions. Raises as ControlPlane does."""
    plane = ControlPlane()
    try:
        yield plane
    finally:
        plane.close()


def _name(address: ClusterAddress) -> str:
    return f"projects/{address.project_id}/locations/{address.location}/clusters/{address.name}"
