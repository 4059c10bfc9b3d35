"""Addresses of the cluster. They exist in its own network namespace only, which has no way out."""

import subprocess

NODE_ADDRESS = "10.250.0.1"
SERVICE_NETWORK = "10.251.0.0/24"
API_SERVICE_ADDRESS = "10.251.0.1"
"""Where pods find the API server (the first address of the service network, by Kubernetes' rule). Without kube-proxy
no other service is reachable: this address is simply one more of the node's own."""
POD_NETWORK = "10.252.0.0/24"
API_PORT = 443


def configure() -> None:
    """Bring up the loopback and a bridge with the node's addresses, because the kubelet refuses a loopback address."""
    for command in (
        "link set lo up",
        "link add node0 type bridge",
        f"addr add {NODE_ADDRESS}/24 dev node0",
        f"addr add {API_SERVICE_ADDRESS}/32 dev node0",
        "link set node0 up",
    ):
        subprocess.run(["ip", *command.split()], check=True)
