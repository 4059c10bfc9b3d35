"""Certificates, tokens and kubeconfigs of one cluster: made when it starts, thrown away with it."""

import json
import secrets
import subprocess
from pathlib import Path

from tests.cluster.network import API_SERVICE_ADDRESS, NODE_ADDRESS

NODE_NAME = "node1"
NAMES = ("DNS:localhost", "DNS:kubernetes", "DNS:kubernetes.default", "DNS:kubernetes.default.svc",
         "IP:127.0.0.1", f"IP:{NODE_ADDRESS}", f"IP:{API_SERVICE_ADDRESS}")  # fmt: skip
GROUPS = {
    "admin": "system:masters",
    "system:kube-controller-manager": "system:masters",
    "system:kube-scheduler": "system:masters",
    f"system:node:{NODE_NAME}": "system:nodes,system:masters",
}


class Credentials:
    """Where the files of one cluster's credentials are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.authority = folder / "authority.crt"
        self.authority_key = folder / "authority.key"
        self.certificate = folder / "api.crt"
        self.key = folder / "api.key"
        self.service_account_key = folder / "service-accounts.key"
        self.tokens = folder / "tokens.csv"

    def kubeconfig(self, user: str) -> Path:
        """The kubeconfig, for use inside the cluster's network, of one of the users of `GROUPS`."""
        return self._folder / f"{user.replace(':', '-')}.kubeconfig"

    def make(self) -> dict[str, str]:
        """Make everything. Returns the token of each user."""
        self._folder.mkdir(mode=0o700)
        self._openssl("req", "-x509", "-subj", "/CN=pilothouse-test", "-days", "365", *_new_key(self.authority_key),
                      "-out", self.authority)  # fmt: skip
        self._openssl("req", "-x509", "-config", "/dev/null", "-subj", "/CN=kube-apiserver", "-days", "365",
                      *_new_key(self.key),
                      "-CA", self.authority, "-CAkey", self.authority_key, "-addext", "basicConstraints=CA:FALSE",
                      "-addext", f"subjectAltName={','.join(NAMES)}", "-out", self.certificate)  # fmt: skip
        self._openssl("genrsa", "-out", self.service_account_key, "2048")
        tokens = {user: secrets.token_hex(16) for user in GROUPS}
        rows = [f'{token},{user},{number},"{GROUPS[user]}"\n' for number, (user, token) in enumerate(tokens.items())]
        self.tokens.write_text("".join(rows))
        for user, token in tokens.items():
            write_kubeconfig(self.kubeconfig(user), "https://127.0.0.1", self.authority, token)
        return tokens

    def _openssl(self, *words: str | Path) -> None:
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def _new_key(path: Path) -> tuple[str | Path, ...]:
    return "-newkey", "rsa:2048", "-nodes", "-keyout", path


def write_kubeconfig(path: Path, server: str, authority: Path, token: str, namespace: str = "default") -> None:
    """Write a kubeconfig with one user, who signs in with a token. JSON is YAML too."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": server, "certificate-authority": str(authority)}}],
        "users": [{"name": "user", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "user", "namespace": namespace}}],
        "current-context": "test",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=2))
