"""A namespace where a real Airflow runs dbt in pods and a console follows them, each with the least rights.

Both sign in as the service accounts of deploy/kubernetes, made by exactly those manifests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.operators import OperatorName
from models.project import ProjectStep, StepState
from services import clusters, projects
from services.projects import ProjectDraft
from services.settings import settings
from stack.places import ROOT
from tests.cluster.access import Cluster, until

MANIFESTS = ROOT / "deploy" / "kubernetes"
KNOWN_AS = "test"
"""What the console calls the cluster."""
WAREHOUSE = "/warehouse"


@dataclass(frozen=True)
class DbtNamespace:
    """The namespace, and how Airflow signs in to its cluster."""

    cluster: Cluster
    name: str
    for_console: Path
    for_airflow: Path

    @classmethod
    def make(cls, cluster: Cluster) -> "DbtNamespace":
        """A new one, its cluster registered in the console whose settings hold."""
        name = cluster.make_namespace()
        found = cls(
            cluster,
            name,
            cluster.apply_manifest(name, MANIFESTS / "console-rbac.yaml"),
            cluster.apply_manifest(name, MANIFESTS / "airflow-rbac.yaml"),
        )
        clusters.register(KNOWN_AS, kubeconfig=str(found.for_console), context=None, by=settings().user)
        return found

    def parameters(self, **changes: Any) -> dict[str, Any]:
        """The Kubernetes operator's, for small pods of the example project; `changes` go over them."""
        return {
            "cluster": KNOWN_AS,
            "connection": "kubeconfig",
            "kubeconfig": str(self.for_airflow),
            "namespace": self.name,
            "image": self.cluster.images.dbt_example,
            "image_pull_policy": self.cluster.images.pull_policy,
            "cpu_request": "50m",
            "memory_request": "64Mi",
            "grace_period_seconds": 30,
            **changes,
        }

    def publish(self, name: str, *, retries: int = 0, **changes: Any) -> str:
        """A project of the example's files that runs in pods here, through all its steps until Airflow knows it."""
        self.create(name, retries=retries, **changes)
        self.advance(name)
        return name

    def create(self, name: str, *, retries: int = 0, **changes: Any) -> None:
        """Such a project, which Airflow is not told of yet."""
        draft = ProjectDraft(
            name=name,
            owner="ann",
            source={"kind": "folder", "path": str(ROOT / "example")},
            operator=OperatorName.KUBERNETES,
            operator_parameters=self.parameters(**changes),
            retries=retries,
            retry_delay_seconds=0,
        )
        projects.create(draft, by="ann")

    def advance(self, *names: str) -> None:
        """Take projects through their steps side by side, so that Airflow reads its DAGs once and not for each."""
        for name in names:
            projects.start(name)
        for name in names:
            steps = until(lambda one=name: _ended_steps(one), f"{name} is published")  # type: ignore[misc]
            assert all(step.state is StepState.DONE for step in steps), [(one.step, one.message) for one in steps]

    def warehouse(self) -> dict[str, Any]:
        """Parameters with which the DuckDB file outlives its pod, as a warehouse does: a folder of the node.

        dbt is nobody special in its container, so a pod that may do so opens the folder for everyone.
        """
        folder = str(self.cluster.folder / f"warehouse-{self.name}")
        volume = {"name": "warehouse", "mount_path": WAREHOUSE, "host_path": folder}
        self._run_shell(f"chmod 1777 {WAREHOUSE}", folder)
        return {"volumes": [volume], "env": {"PILOTHOUSE_PROJECT_DATA": WAREHOUSE}}

    def _run_shell(self, words: str, folder: str) -> None:
        core = self.cluster.core
        container = {
            "name": "base",
            "image": self.cluster.images.busybox,
            "imagePullPolicy": self.cluster.images.pull_policy,
            "command": ["sh", "-c", words],
            "volumeMounts": [{"name": "warehouse", "mountPath": WAREHOUSE}],
        }
        volumes = [{"name": "warehouse", "hostPath": {"path": folder}}]
        pod: Any = {
            "metadata": {"name": "opens-warehouse"},
            "spec": {"restartPolicy": "Never", "containers": [container], "volumes": volumes},
        }
        core.create_namespaced_pod(self.name, pod)
        until(lambda: core.read_namespaced_pod("opens-warehouse", self.name).status.phase == "Succeeded", words)  # type: ignore[union-attr]

    def pods(self) -> Sequence[str]:
        """The names of the pods that are here now."""
        names = (pod.metadata.name for pod in self.cluster.core.list_namespaced_pod(self.name).items)  # type: ignore[union-attr]
        return [name for name in names if name and name != "opens-warehouse"]


def _ended_steps(name: str) -> Sequence[ProjectStep] | None:
    """The steps of a project, once none of them goes on any more."""
    steps = projects.steps_of(projects.get_project(name))
    is_over = steps[-1].state is StepState.DONE or any(step.state is StepState.FAILED for step in steps)
    return steps if is_over else None
