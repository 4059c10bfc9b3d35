"""The way to a GKE cluster's Kubernetes API: address, certificate authority, and a token of the console's account."""

import base64
from typing import Any

from contracts.gke.names import ClusterAddress
from services.errors import BackendUnreachable, ConfigurationError
from services.google.control_plane import control_plane
from services.google.credentials import fresh_token
from services.google.news import access_of
from services.google.store import READY
from services.settings import settings


def api_client(address: ClusterAddress) -> Any:
    """A client of the `kubernetes` package that signs in to the cluster, with a new token when the old one ends.

    Asks Google where the cluster is. Raises as ControlPlane does, and BackendUnreachable while there is no cluster yet.
    """
    from kubernetes import client

    with control_plane() as plane:
        cluster, signed_in = plane.cluster(address), plane.credentials
    host, authority = _way(cluster, address)
    configuration = client.Configuration(host=f"https://{host}", ca_cert_data=authority)
    configuration.retries = False

    def sign_in(used: Any) -> None:
        used.api_key["BearerToken"] = f"Bearer {fresh_token(signed_in)}"

    sign_in(configuration)
    configuration.refresh_api_key_hook = sign_in  # type: ignore[assignment]
    return client.ApiClient(configuration)


def _way(cluster: Any, address: ClusterAddress) -> tuple[str, str | None]:
    """The host, and the CA that it is checked by; None for the machine's own, which know the DNS endpoint's."""
    status = str(cluster.status.name)
    if status not in READY:
        told = f"The cluster {address.name} can't be asked: Google says {status}. {cluster.status_message}".strip()
        raise BackendUnreachable(told, system=f"cluster {address.path}")
    ways = access_of(cluster)
    wanted = settings().google_endpoint
    kind = next((each for each in ("dns", "public", "private") if ways[each] and wanted in (each, "auto")), None)
    if kind is None:
        raise ConfigurationError(
            f"The cluster {address.name} has no {wanted if wanted != 'auto' else ''} endpoint.".replace("  ", " "),
            hint="Turn on its DNS endpoint, or choose another way by PILOTHOUSE_GOOGLE_ENDPOINT.",
        )
    authority = None if kind == "dns" else base64.b64decode(cluster.master_auth.cluster_ca_certificate).decode()
    return str(ways[kind]), authority
