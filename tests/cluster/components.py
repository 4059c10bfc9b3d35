"""The table of a cluster's processes: command lines and configuration files. Proven values: decision record 20."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from stack.places import ROOT
from tests.cluster.credentials import NODE_NAME, Credentials
from tests.cluster.network import API_PORT, NODE_ADDRESS, POD_NETWORK, SERVICE_NETWORK

ETCD = "http://127.0.0.1:2379"
PAUSE_IMAGE = "localhost/pause:1"


@dataclass(frozen=True)
class Folders:
    """Where one cluster keeps what; all of it goes with the cluster."""

    state: Path

    @property
    def credentials(self) -> Credentials:
        """Keys, certificates, tokens, kubeconfigs for the inside."""
        return Credentials(self.state / "credentials")

    @property
    def data(self) -> Path:
        """A file system in memory, which only the cluster's own processes see: images, containers, etcd, volumes.

        All have it at the same place, a short one: kubelet and containerd make sockets in it, and the path of a socket
        may have 107 characters (unix(7)).
        """
        return Path("/run/pilothouse-node")

    @property
    def containerd_socket(self) -> Path:
        """Seen by the cluster's own processes only."""
        return self.data / "containerd.sock"

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.state / "logs"

    @property
    def stopped(self) -> Path:
        """A file here, named like a process, keeps that process stopped."""
        return self.state / "stopped"


@dataclass(frozen=True)
class Component:
    """A process of the cluster, which is started again whenever it ends."""

    name: str
    command: tuple[str, ...]


def table(state: Path, binaries: Path, cgroup: str, listener: int) -> list[Component]:
    """All processes, in the order of their start. Configuration files are written on the way."""
    folders = Folders(state)
    return [
        Component("containerd", ("containerd", "--config", _containerd_config(folders))),
        Component("etcd", _etcd(folders)),
        Component("kube-apiserver", _api_server(folders, binaries)),
        Component("kube-controller-manager", _controller_manager(folders, binaries)),
        Component("kube-scheduler", _scheduler(folders, binaries)),
        Component("kubelet", _kubelet(folders, binaries, cgroup)),
        Component("relay", (sys.executable, "-m", "tests.cluster.relay", str(listener), "127.0.0.1", str(API_PORT))),
    ]


def _etcd(folders: Folders) -> tuple[str, ...]:
    return (
        "etcd",
        f"--data-dir={folders.data / 'etcd'}",
        f"--listen-client-urls={ETCD}",
        f"--advertise-client-urls={ETCD}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--unsafe-no-fsync",
    )


def _api_server(folders: Folders, binaries: Path) -> tuple[str, ...]:
    credentials = folders.credentials
    return (
        str(binaries / "kube-apiserver"),
        f"--etcd-servers={ETCD}",
        "--bind-address=0.0.0.0",
        f"--advertise-address={NODE_ADDRESS}",
        f"--secure-port={API_PORT}",
        f"--tls-cert-file={credentials.certificate}",
        f"--tls-private-key-file={credentials.key}",
        f"--service-cluster-ip-range={SERVICE_NETWORK}",
        f"--service-account-key-file={credentials.service_account_key}",
        f"--service-account-signing-key-file={credentials.service_account_key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--token-auth-file={credentials.tokens}",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        "--kubelet-preferred-address-types=InternalIP",
    )


def _controller_manager(folders: Folders, binaries: Path) -> tuple[str, ...]:
    credentials = folders.credentials
    return (
        str(binaries / "kube-controller-manager"),
        *_client(folders, "system:kube-controller-manager"),
        f"--service-account-private-key-file={credentials.service_account_key}",
        f"--root-ca-file={credentials.authority}",
        f"--cluster-signing-cert-file={credentials.authority}",
        f"--cluster-signing-key-file={credentials.authority_key}",
    )


def _scheduler(folders: Folders, binaries: Path) -> tuple[str, ...]:
    return (str(binaries / "kube-scheduler"), *_client(folders, "system:kube-scheduler"))


def _client(folders: Folders, user: str) -> tuple[str, ...]:
    """What controller manager and scheduler have in common."""
    kubeconfig = folders.credentials.kubeconfig(user)
    return (
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--cert-dir={folders.state / 'own-certificates' / user}",
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
    )


def _kubelet(folders: Folders, binaries: Path, cgroup: str) -> tuple[str, ...]:
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "enforceNodeAllocatable": ["pods"],
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "makeIPTablesUtilChains": False,
        "resolvConf": "",
    }
    return (
        str(binaries / "kubelet"),
        f"--config={_write(folders.state / 'kubelet.json', json.dumps(config, indent=2))}",
        f"--kubeconfig={folders.credentials.kubeconfig(f'system:node:{NODE_NAME}')}",
        f"--hostname-override={NODE_NAME}",
        f"--node-ip={NODE_ADDRESS}",
        f"--root-dir={folders.data / 'kubelet'}",
        f"--cert-dir={folders.state / 'own-certificates' / 'kubelet'}",
        "--container-runtime=remote",
        f"--container-runtime-endpoint=unix://{folders.containerd_socket}",
        "--oom-score-adj=0",  # lowering it takes CAP_SYS_RESOURCE, which root may lack in a container
    )


def _containerd_config(folders: Folders) -> str:
    networks = folders.state / "networks"
    networks.mkdir()
    network = {
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [{
            "type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": False,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": POD_NETWORK}]], "routes": [{"dst": "0.0.0.0/0"}],
                     "dataDir": str(folders.data / "pod-addresses")},
        }],
    }  # fmt: skip
    _write(networks / "pods.conflist", json.dumps(network, indent=2))
    template = (ROOT / "tests" / "cluster" / "containerd.toml").read_text()
    values = {
        "@DATA@": str(folders.data),
        "@NETWORKS@": str(networks),
        "@SOCKET@": str(folders.containerd_socket),
        "@PAUSE@": PAUSE_IMAGE,
    }
    for name, value in values.items():
        template = template.replace(name, value)
    return _write(folders.state / "containerd.toml", template)


def _write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)
