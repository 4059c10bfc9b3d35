"""A Kubernetes cluster as the console sees it: a facade over the `kubernetes` client, which signs in.

Answers are read as JSON, not as the client's models: those refuse what a cluster of another version adds. Every call
may raise BackendUnreachable, BackendTimeout, BackendRejected (with the cluster's own words) or, where said, NotFound.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from contracts.gke.names import ClusterAddress
from contracts.names import DBT_CONTAINER
from models.cluster import Cluster
from services.clusters.log_lines import is_stamp, joined
from services.clusters.news import PodEvent, PodNews, event_news, pod_news
from services.errors import BackendRejected, BackendTimeout, BackendUnreachable, ConfigurationError, NotFound

_CONNECT_SECONDS, _READ_SECONDS = 3.05, 20
_SILENCE_SECONDS = 600
"""A log stream that says nothing for so long is opened anew: the connection may have died unnoticed."""
_PAGE = 500
_GROUPS = {"priorityclasses": "/apis/scheduling.k8s.io/v1"}
"""Where objects live that are not of the core API."""


class ClusterClient:
    """One cluster, signed in with what its kubeconfig or the pod's own service account holds, or by Google."""

    def __init__(self, cluster: Cluster) -> None:
        self.name = cluster.name
        self._system = f"cluster {cluster.name}"
        self._api = _api_client(cluster)

    def version(self) -> str:
        """The API server's version, e.g. v1.33.2."""
        return str(self._json("GET", "/version", "tell its version")["gitVersion"])

    def pods(self, namespace: str, *, selector: str) -> list[PodNews]:
        """The pods with these labels; a namespace that doesn't exist has none."""
        path = f"/api/v1/namespaces/{namespace}/pods"
        return [pod_news(one) for one in self._items(path, "list pods", {"labelSelector": selector})]

    def pod(self, namespace: str, name: str) -> PodNews:
        """One pod. Raises NotFound."""
        return pod_news(self._json("GET", f"/api/v1/namespaces/{namespace}/pods/{name}", "read a pod"))

    def events(self, namespace: str, pod: str) -> list[PodEvent]:
        """What Kubernetes says of a pod, in its own order."""
        about = f"involvedObject.kind=Pod,involvedObject.name={pod}"
        path = f"/api/v1/namespaces/{namespace}/events"
        return [event_news(one) for one in self._items(path, "list events", {"fieldSelector": about})]

    def follow_log(
        self, namespace: str, pod: str, container: str, *, since: str | None, is_over: bool
    ) -> Iterator[tuple[str, str]]:
        """The container's lines with their time stamps, from `since` (one of those) on, until it ends.

        The stream may break: it then ends too, or raises BackendUnreachable. Lines of the moment `since` come again.
        It may end within a line, as when the node begins a new file: such a line is left to the next reading, unless
        the container `is_over`.
        Raises NotFound, also in its midst where the node writes an error instead of a line because the container is
        being removed, and BackendRejected (400) while the container has not started.
        """
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        query = {"container": container, "follow": "true", "timestamps": "true"} | (
            {"sinceTime": since} if since else {}
        )
        response = self._call("GET", path, "stream the log", query, read_seconds=_SILENCE_SECONDS)
        try:
            for line in _lines(response):
                stamp, _, text = line.removesuffix(b"\n").partition(b" ")
                if not is_stamp(stamp):
                    raise NotFound(f"The node has no more of the log: {line.decode(errors='replace')}")
                if line.endswith(b"\n") or is_over:
                    yield stamp.decode(), joined(text).decode(errors="replace")
        except Exception as error:
            raise _told(error, self._system, "stream the log") from error
        finally:
            response.close()

    def may(self, namespace: str, verb: str, resource: str, subresource: str = "") -> bool:
        """Whether the console's own credentials have a right (SelfSubjectAccessReview)."""
        wanted = {"namespace": namespace, "verb": verb, "resource": resource, "subresource": subresource}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": wanted},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        return bool(self._json("POST", path, "tell our rights", body=body)["status"]["allowed"])

    def has(self, kind: str, name: str, *, namespace: str | None = None) -> bool:
        """Whether an object exists; `kind` as in its path, e.g. secrets. Forbidden: BackendRejected."""
        within = f"/namespaces/{namespace}" if namespace else ""
        try:
            group = _GROUPS.get(kind, "/api/v1")
            self._json("GET", f"{group}{within}/{kind}/{name}", f"look for {kind} {name}")
        except NotFound:
            return False
        return True

    def namespace(self, name: str) -> dict[str, Any] | None:
        """A namespace as Kubernetes has it, or None."""
        try:
            return self._json("GET", f"/api/v1/namespaces/{name}", f"look for the namespace {name}")
        except NotFound:
            return None

    def nodes(self) -> list[dict[str, Any]]:
        """All nodes, as Kubernetes has them."""
        return list(self._items("/api/v1/nodes", "list nodes"))

    def quotas(self, namespace: str) -> list[dict[str, Any]]:
        """The namespace's resource quotas, as Kubernetes has them."""
        return list(self._items(f"/api/v1/namespaces/{namespace}/resourcequotas", "list quotas"))

    def limit_ranges(self, namespace: str) -> list[dict[str, Any]]:
        """The namespace's limit ranges, as Kubernetes has them."""
        return list(self._items(f"/api/v1/namespaces/{namespace}/limitranges", "list limit ranges"))

    def delete_pod(self, namespace: str, name: str) -> None:
        """Ask for a pod's deletion; dbt in it is interrupted and has the pod's grace period. Repeatable."""
        with suppress(NotFound):
            self._json("DELETE", f"/api/v1/namespaces/{namespace}/pods/{name}", "delete a pod")

    def log_tail(self, namespace: str, pod: str, *, lines: int) -> str:
        """The last lines of dbt's container. Raises NotFound, and BackendRejected (400) before its start."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        response = self._call("GET", path, "read the log", {"container": DBT_CONTAINER, "tailLines": str(lines)})
        return str(response.data.decode(errors="replace"))

    def _items(self, path: str, action: str, query: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        more: dict[str, str] = {}
        while True:
            page = self._json("GET", path, action, {"limit": str(_PAGE), **(query or {}), **more})
            yield from page.get("items") or []
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return
            more = {"continue": token}

    def _json(
        self, method: str, path: str, action: str, query: Mapping[str, str] | None = None, *, body: Any = None
    ) -> dict[str, Any]:
        response = self._call(method, path, action, query, body=body)
        try:
            answer = json.loads(response.data)
        except ValueError as error:
            raise BackendRejected(
                f"The {self._system} answered with something other than JSON to: {action}.",
                system=self._system,
                status=response.status,
                detail=str(error),
            ) from error
        except Exception as error:
            raise _told(error, self._system, action) from error
        return dict(answer)

    def _call(
        self,
        method: str,
        path: str,
        action: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Any = None,
        read_seconds: float = _READ_SECONDS,
    ) -> Any:
        """The urllib3 response, its body not read yet."""
        headers = {"Accept": "application/json, */*", "Content-Type": "application/json"}
        try:
            request = self._api.param_serialize(
                method, path, query_params=list((query or {}).items()), header_params=headers, body=body,
                auth_settings=["BearerToken"],
            )  # fmt: skip
            response = self._api.call_api(*request, _request_timeout=(_CONNECT_SECONDS, read_seconds)).response
        except Exception as error:
            raise _told(error, self._system, action) from error
        if 200 <= response.status < 300:
            return response
        raise _refusal(response, self._system, action)


def _api_client(cluster: Cluster) -> Any:
    if address := ClusterAddress.of_path(cluster.name):
        from services.google.access import api_client

        return api_client(address)
    from kubernetes import client, config

    settings = client.Configuration()
    settings.retries = False
    try:
        if cluster.kubeconfig is None:
            config.load_incluster_config(settings)  # type: ignore[no-untyped-call]
        else:
            config.load_kube_config(  # type: ignore[no-untyped-call]
                cluster.kubeconfig, context=cluster.context, client_configuration=settings, persist_config=False
            )
    except Exception as error:  # whatever is wrong with a file that a person wrote
        raise ConfigurationError(
            f"The cluster '{cluster.name}' cannot be signed in to: {error}",
            hint="Check the kubeconfig's path and context as this machine sees them.",
        ) from error
    return client.ApiClient(settings)


def _lines(response: Any) -> Iterator[bytes]:
    """Lines with their ends; the last may lack it."""
    rest = b""
    for chunk in response.stream(amt=None, decode_content=True):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if rest:
        yield rest


def _told(error: Exception, system: str, action: str) -> Exception:
    """What went wrong on the way, in our words. Our own errors stay as they are."""
    import urllib3
    from kubernetes.client import ApiException

    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return BackendTimeout(f"The {system} gave no answer in time to: {action}.", system=system)
    # The client makes an ApiException without a status of a connection that breaks while it is encrypted.
    if isinstance(error, urllib3.exceptions.HTTPError | OSError | ApiException):
        return BackendUnreachable(
            f"The {system} cannot be reached to: {action}.",
            system=system,
            hint="Check that its API server runs and that this machine may connect to it.",
        )
    return error


def _refusal(response: Any, system: str, action: str) -> NotFound | BackendRejected:
    """A Status object of API version v1: reason and message."""
    try:
        status = json.loads(response.data)
        detail = str(status.get("message") or status.get("reason"))
    except (ValueError, AttributeError):
        detail = f"HTTP {response.status}"
    if response.status == 404:
        return NotFound(detail)
    hint = {
        401: "The credentials of the kubeconfig are not valid (any more).",
        403: "Give the console's user the rights of deploy/kubernetes/console-rbac.yaml.",
    }.get(response.status)
    return BackendRejected(
        f"The {system} refused to {action}: {detail}", system=system, status=response.status, detail=detail, hint=hint
    )
