"""Our pods on a cluster, as it has them now: with the run that each belongs to, and what was left over."""

from dataclasses import dataclass

from sqlmodel import col, select

from contracts.gke.names import ClusterAddress
from contracts.names import RUN_LABEL
from models.cluster import Pod
from models.project import Project
from models.run import Invocation, Run
from models.run_state import RunState
from services.clusters.client import ClusterClient
from services.clusters.news import PodNews
from services.clusters.store import get_cluster
from services.database import session
from services.errors import BackendRejected, NotAllowed
from services.rights import require_change_of_clusters


@dataclass(frozen=True)
class OurPod:
    """A pod that a run of ours made."""

    news: PodNews
    run_id: int | None
    """None for a pod that another console made, or whose run was deleted here."""
    is_run_over: bool

    @property
    def state(self) -> str:
        """running, pending, failed, succeeded; left over when its run is over and it still takes room."""
        if self.is_run_over and not self.news.is_over and self.news.deleted_at is None:
            return "left over"
        return self.news.phase.lower() if self.news.phase != "Unknown" else "left over"

    @property
    def may_be_deleted(self) -> bool:
        """Only what no run needs any more."""
        return self.run_id is not None and self.is_run_over


@dataclass(frozen=True)
class OurPods:
    """What there is of ours on a cluster, as far as the console may see."""

    pods: list[OurPod]
    hidden: list[str]
    """Namespaces of projects or runs whose pods the console may not read."""


def our_pods(cluster: str) -> OurPods:
    """All pods with our label, in the namespaces that projects and runs name. Raises as ClusterClient does."""
    client = ClusterClient(get_cluster(cluster))
    found: list[PodNews] = []
    hidden: list[str] = []
    for namespace in _namespaces(cluster):
        try:
            found += client.pods(namespace, selector=RUN_LABEL)
        except BackendRejected as error:
            if error.status != 403:
                raise
            hidden.append(namespace)
    runs = _runs_of([pod.uid for pod in found])
    return OurPods([OurPod(pod, *runs.get(pod.uid, (None, False))) for pod in found], hidden)


def log_tail(cluster: str, pod: PodNews, *, lines: int) -> str:
    """The last lines of dbt in a pod. Raises as ClusterClient does."""
    return ClusterClient(get_cluster(cluster)).log_tail(pod.namespace, pod.name, lines=lines)


def delete_left_over(cluster: str, pod: PodNews, *, by: str) -> None:
    """Delete a pod whose run is over. Raises NotAllowed for any other or to whom may not, and as ClusterClient does."""
    require_change_of_clusters(by)
    run_id, is_over = _runs_of([pod.uid]).get(pod.uid, (None, False))
    if run_id is None or not is_over:
        raise NotAllowed("Its run is not over, or is not ours.", hint="Cancel the run: dbt then ends gracefully.")
    ClusterClient(get_cluster(cluster)).delete_pod(pod.namespace, pod.name)


def _namespaces(cluster: str) -> list[str]:
    with session() as opened:
        named = {
            project.operator_parameters.get("namespace", "default")
            for project in opened.exec(select(Project))
            if _may_run_on(project, cluster)
        }
        seen = opened.exec(select(Pod.namespace).where(Pod.cluster == cluster).distinct())
        return sorted(named | set(seen))


def _may_run_on(project: Project, cluster: str) -> bool:
    if address := ClusterAddress.of_path(cluster):
        return project.operator_parameters.get("project_id") == address.project_id
    return project.operator_parameters.get("cluster") == cluster


def _runs_of(uids: list[str]) -> dict[str, tuple[int | None, bool]]:
    joined = select(Pod.uid, Run.id, Run.state).join(Invocation, col(Invocation.id) == Pod.invocation_id)
    rows = joined.join(Run, col(Run.id) == Invocation.run_id).where(col(Pod.uid).in_(uids))
    with session() as opened:
        return {uid: (run_id, RunState(state).is_terminal) for uid, run_id, state in opened.exec(rows)}
