"""Our pods on a cluster, now or as the collector last saw them: with the run that each belongs to, and what was left.

The collector keeps those of registered clusters, so that pages need not ask: a cluster that is away delays none.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from sqlmodel import col, select

from contracts.gke.names import ClusterAddress
from contracts.names import RUN_LABEL
from models.cluster import ClusterPods, Pod
from models.project import Project
from models.run import Invocation, Run
from models.run_state import RunState
from models.types import now
from services.clusters.client import ClusterClient
from services.clusters.news import PodNews
from services.clusters.store import get_cluster
from services.database import session
from services.errors import BackendRejected, NotAllowed, PilothouseError
from services.rights import require_change_of_clusters


@dataclass(frozen=True)
class PodSummary:
    """What a list tells of a pod."""

    namespace: str
    name: str
    uid: str
    phase: str
    node: str | None
    created_at: datetime | None
    is_over: bool
    is_deleted: bool
    """Whether its deletion was asked for; it may still run."""

    @classmethod
    def of(cls, news: PodNews) -> "PodSummary":
        """In few words."""
        return cls(
            namespace=news.namespace,
            name=news.name,
            uid=news.uid,
            phase=news.phase,
            node=news.node,
            created_at=news.created_at,
            is_over=news.is_over,
            is_deleted=news.deleted_at is not None,
        )


_SUMMARIES = TypeAdapter(list[PodSummary])


@dataclass(frozen=True)
class OurPod:
    """A pod that a run of ours made."""

    summary: PodSummary
    run_id: int | None
    """None for a pod that another console made, or whose run was deleted here."""
    is_run_over: bool

    @property
    def state(self) -> str:
        """running, pending, failed, succeeded; left over when its run is over and it still takes room."""
        if self.is_run_over and not self.summary.is_over and not self.summary.is_deleted:
            return "left over"
        return self.summary.phase.lower() if self.summary.phase != "Unknown" else "left over"

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
    taken_at: datetime


def our_pods(cluster: str) -> OurPods:
    """Ask for all pods with our label, in the namespaces that projects and runs name. Raises as ClusterClient does."""
    return _with_runs(_asked(ClusterClient(get_cluster(cluster))))


def known_pods(cluster: str) -> OurPods | None:
    """The same as the collector last saw them; None before it did. Asks nobody."""
    with session() as opened:
        row = opened.get(ClusterPods, cluster)
    return _with_runs(row) if row else None


def keep_pods(client: ClusterClient) -> None:
    """Ask a cluster for our pods and keep what it says. Raises as ClusterClient does."""
    row = _asked(client)
    with session() as opened:
        opened.merge(row)


def _asked(client: ClusterClient) -> ClusterPods:
    found: list[PodSummary] = []
    hidden: list[str] = []
    for namespace in _namespaces(client.name):
        try:
            found += [PodSummary.of(pod) for pod in client.pods(namespace, selector=RUN_LABEL)]
        except BackendRejected as error:
            if error.status != 403:
                raise
            hidden.append(namespace)
    pods = _SUMMARIES.dump_python(found, mode="json")
    return ClusterPods(cluster=client.name, pods=pods, hidden=hidden, taken_at=now())


def _with_runs(row: ClusterPods) -> OurPods:
    pods = _SUMMARIES.validate_python(row.pods)
    runs = _runs_of([pod.uid for pod in pods])
    found = [OurPod(pod, *runs.get(pod.uid, (None, False))) for pod in pods]
    return OurPods(found, row.hidden, row.taken_at)


def log_tail(cluster: str, pod: PodSummary, *, lines: int) -> str:
    """The last lines of dbt in a pod. Raises as ClusterClient does."""
    return ClusterClient(get_cluster(cluster)).log_tail(pod.namespace, pod.name, lines=lines)


def delete_left_over(cluster: str, pod: PodSummary, *, by: str) -> None:
    """Delete a pod whose run is over. Raises NotAllowed for any other or to whom may not, and as ClusterClient does."""
    require_change_of_clusters(by)
    run_id, is_over = _runs_of([pod.uid]).get(pod.uid, (None, False))
    if run_id is None or not is_over:
        raise NotAllowed("Its run is not over, or is not ours.", hint="Cancel the run: dbt then ends gracefully.")
    client = ClusterClient(get_cluster(cluster))
    client.delete_pod(pod.namespace, pod.name)
    with suppress(PilothouseError):  # the collector asks again anyway
        keep_pods(client)


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
