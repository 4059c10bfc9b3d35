"""Google for tests: its control plane and what its clients need around it, on sockets of loopback.

Clients reach it by environment alone (`environment`): they speak to container.googleapis.com, oauth2.googleapis.com and
so on, by a proxy and a certificate authority of ours. Nothing of them is patched.
"""

import base64
import os
from pathlib import Path
from typing import Any

import certifi

from tests.google import grpc_door
from tests.google.authority import authority, write_key_file
from tests.google.clusters import NOWHERE, Endpoint
from tests.google.control_plane import ControlPlane
from tests.google.identities import PROJECT, Identities
from tests.google.proxy import ClusterDoor, Proxy
from tests.google.rest_door import RestDoor

_AROUND_THE_PROXY = "localhost,127.0.0.1,10.0.0.0/8"
_CLUSTER_NAMES = tuple(f"*.{region}.gke.goog" for region in ("europe-west1", "europe-west3", "us-central1"))


class GoogleStandIn:
    """Serves from its making until `stop`."""

    def __init__(self, folder: Path, endpoint: Endpoint = NOWHERE) -> None:
        self.project = PROJECT
        self.plane = ControlPlane(endpoint)
        self.identities = Identities(token=endpoint.token)
        self.key_file = folder / "service-account.json"
        write_key_file(self.key_file)
        trust = authority()
        certificate, key = folder / "cluster.pem", folder / "cluster.key"
        trust.issue(certificate, key, _CLUSTER_NAMES)
        self._authorities = folder / "authorities.pem"
        self._authorities.write_bytes(Path(certifi.where()).read_bytes() + trust.certificate.read_bytes())
        self._grpc, grpc_port = grpc_door.serve(self.plane, self.identities, trust)
        self._rest = RestDoor(self.plane, self.identities, trust)
        door = ClusterDoor(endpoint.address, str(certificate), str(key))
        self.proxy = Proxy(grpc_port=grpc_port, rest_port=self._rest.https_port, cluster=door)

    def environment(self, *, key_file: bool = True) -> dict[str, str]:
        """What a process needs in its environment; without the key file it asks the metadata server who it is."""
        proxy = f"http://127.0.0.1:{self.proxy.port}"
        roots = str(authority().certificate)
        credentials = {"GOOGLE_APPLICATION_CREDENTIALS": str(self.key_file)} if key_file else {}
        return {
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "NO_PROXY": _AROUND_THE_PROXY,
            "no_proxy": _AROUND_THE_PROXY,
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": roots,
            "REQUESTS_CA_BUNDLE": str(self._authorities),
            "SSL_CERT_FILE": str(self._authorities),
            "GCE_METADATA_HOST": f"127.0.0.1:{self._rest.http_port}",
            "GCE_METADATA_IP": f"127.0.0.1:{self._rest.http_port}",
            "GOOGLE_CLOUD_PROJECT": self.project,
            **credentials,
        }

    def stop(self) -> None:
        """Stop serving."""
        self.plane.release()
        self.proxy.stop()
        self._rest.stop()
        self._grpc.stop(grace=None)


def endpoint_of(kubeconfig: Path) -> Endpoint:
    """The real cluster of a kubeconfig with a token, for the stand-in's clusters to point to."""
    import yaml

    config: dict[str, Any] = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    data = cluster.get("certificate-authority-data")
    pem = data or base64.b64encode(Path(cluster["certificate-authority"]).read_bytes()).decode()
    return Endpoint(cluster["server"].removeprefix("https://").rstrip("/"), pem, user["token"])


def use(environment: dict[str, str]) -> None:
    """Put it into this process, for a program that is started by hand."""
    os.environ.update(environment)
