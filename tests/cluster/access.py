"""What a test does with a cluster, by the `kubernetes` client: own namespaces, and identities with few rights."""

import os
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tests.cluster import images
from tests.cluster.clusters import OwnCluster

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, CoreV1Api, V1PolicyRule

SECONDS = 180
Found = TypeVar("Found")


def until(look: Callable[[], Found | None], what: str) -> Found:
    """What `look` finds, once it finds something."""
    deadline = time.monotonic() + SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {what}"
        time.sleep(0.2)
    return found


@dataclass(frozen=True)
class ImageNames:
    """The images of the tests, as the cluster knows them."""

    busybox: str = images.BUSYBOX_IMAGE
    dbt: str = images.DBT_IMAGE
    dbt_example: str = images.DBT_EXAMPLE_IMAGE
    pull_policy: str = "Never"

    @classmethod
    def from_settings(cls) -> "ImageNames":
        """Read `PILOTHOUSE_CLUSTER_…`, for a cluster that is not ours; what is unset is named as in ours."""
        given = {
            name: os.environ.get(f"PILOTHOUSE_CLUSTER_{name.upper()}")
            for name in ("busybox", "dbt", "dbt_example", "pull_policy")
        }
        return cls(**{name: value for name, value in given.items() if value})


@dataclass(frozen=True)
class Cluster:
    """A running cluster, ours or a given one."""

    kubeconfig: Path
    images: ImageNames
    folder: Path
    """Where kubeconfigs of service accounts go."""
    own: OwnCluster | None = None
    """With this a test may hold single processes of it; None for a given cluster."""

    @cached_property
    def client(self) -> "ApiClient":
        """Signed in as the kubeconfig says."""
        return client_of(self.kubeconfig)

    @cached_property
    def core(self) -> "CoreV1Api":
        """Pods, logs, events and their like."""
        from kubernetes.client import CoreV1Api

        return CoreV1Api(self.client)

    def make_namespace(self) -> str:
        """A new namespace in which pods can be started at once."""
        from kubernetes.client import ApiException

        name = f"pilothouse-test-{uuid.uuid4().hex[:10]}"
        body: Any = {"metadata": {"name": name}}
        container = {"name": "base", "image": self.images.busybox}
        pod: Any = {"metadata": {"name": "trial"}, "spec": {"containers": [container]}}
        self.core.create_namespace(body)

        def takes_pods() -> bool:
            """Not before its default service account has been made, and on old clusters a token for it."""
            with suppress(ApiException):
                self.core.create_namespaced_pod(name, pod, dry_run="All")
                return True
            return False

        until(takes_pods, f"{name} takes pods")
        return name

    def delete_namespace(self, name: str) -> None:
        """Kill its pods and ask for its end; that takes a while, and nobody waits for it."""
        self.core.delete_collection_namespaced_pod(name, grace_period_seconds=0)
        self.core.delete_namespace(name)

    def make_service_account(self, namespace: str, rules: "Sequence[V1PolicyRule | dict[str, Any]]") -> Path:
        """A new service account that may do what the rules say, in its namespace only. Returns its kubeconfig.

        The rules are those of a Role, as objects or as in a manifest: `{"apiGroups": …, "resources": …, "verbs": …}`.
        """
        name = f"account-{uuid.uuid4().hex[:10]}"
        group = "rbac.authorization.k8s.io"
        reference = {"apiGroup": group, "kind": "Role", "name": name}
        subjects = [{"kind": "ServiceAccount", "name": name, "namespace": namespace}]
        account = {"apiVersion": "v1", "kind": "ServiceAccount"}
        role = {"apiVersion": f"{group}/v1", "kind": "Role", "rules": list(rules)}
        binding = {"apiVersion": f"{group}/v1", "kind": "RoleBinding", "roleRef": reference, "subjects": subjects}
        return self._apply(namespace, [each | {"metadata": {"name": name}} for each in (account, role, binding)])

    def apply_manifest(self, namespace: str, manifest: Path) -> Path:
        """Make a manifest, with one service account, as `kubectl apply` would. Returns the account's kubeconfig."""
        import yaml

        return self._apply(namespace, list(yaml.safe_load_all(manifest.read_text())))

    def _apply(self, namespace: str, objects: list[dict[str, Any]]) -> Path:
        from kubernetes.utils import create_from_yaml

        create_from_yaml(self.client, yaml_objects=objects, namespace=namespace)  # type: ignore[no-untyped-call]
        [account] = [each["metadata"]["name"] for each in objects if each["kind"] == "ServiceAccount"]
        return self._kubeconfig_of(namespace, account)

    def _kubeconfig_of(self, namespace: str, account: str) -> Path:
        """The given kubeconfig with the token of a service account in place of its user."""
        import yaml

        wanted: Any = {"spec": {"audiences": [], "expirationSeconds": 3600}}
        answer = self.core.create_namespaced_service_account_token(account, namespace, wanted)
        assert answer.status
        config = yaml.safe_load(self.kubeconfig.read_text())
        [context] = [one for one in config["contexts"] if one["name"] == config["current-context"]]
        context["context"] |= {"user": account, "namespace": namespace}
        config["users"] = [{"name": account, "user": {"token": answer.status.token}}]
        path = self.folder / f"{namespace}.{account}.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(config | {"contexts": [context]}))
        return path


def client_of(kubeconfig: Path) -> "ApiClient":
    """A client of its own for a kubeconfig."""
    from kubernetes import config

    client: ApiClient = config.new_client_from_config(str(kubeconfig))  # type: ignore[no-untyped-call]
    return client
