"""Follows the pods of runs on their clusters: phases, events, log, and their end.

A pod may be deleted the moment it ends, and a cluster may be out of reach: then the rest of dbt's log comes from
Airflow's copy, and the run says so. Reading pods, their logs and events is all the right that this needs.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from contracts.names import RUN_LABEL, run_label_of
from models.run import Invocation, Run
from models.types import now
from services import health
from services.clusters import (
    Cluster,
    ClusterClient,
    PodEvent,
    PodNews,
    cluster_of_run,
    clusters,
    in_google,
    keep_pods,
    system_of,
)
from services.collector import store
from services.collector.closing import close_without_news
from services.collector.loop import each
from services.collector.pod_log import PodLog
from services.collector.pods import close_pod, note_gone, note_pod, note_running
from services.collector.swept import is_abandoned
from services.errors import BackendError, BackendRejected, PilothouseError
from services.google.store import ready_paths
from services.settings import settings

_IDLE_SECONDS = 1.0
_PAUSE_SECONDS = 5.0
"""How long a cluster that doesn't answer is left alone at most."""
_PAUSE_SHARE = 10
"""How many times as long as its failing took: one that refuses at once is asked again soon, for once it is back its
pods may be gone within seconds, and with them what they said meanwhile."""
_EVENTS_SECONDS = 2.0
_LATE = timedelta(seconds=5)
"""A pod that the cluster does not know so long after its run's end will not come any more."""
_LABELS_PER_QUESTION = 50

logger = logging.getLogger(__name__)


class KubernetesSide:
    """The collector's loop over all registered clusters, and those in Google that runs are on.

    One that is away delays no other for long.
    """

    system = health.KUBERNETES

    def __init__(self) -> None:
        self._clients: dict[str, tuple[Cluster, ClusterClient]] = {}
        self._away_until: dict[str, float] = {}
        self._logs: dict[int, PodLog] = {}
        self._asked_events: dict[int, float] = {}
        self._visited: dict[int, float] = {}

    def check_health(self) -> None:
        """Ask every cluster for its version and for our pods."""
        for cluster in clusters():
            asked = time.monotonic()
            try:
                client = self._client(cluster)
                health.report(system_of(cluster.name), reachable=True, version=client.version())
                keep_pods(client)
            except PilothouseError as error:
                self._note_away(cluster.name, error, asked=asked)

    def tick(self) -> float:
        """Follow the open runs, cluster by cluster."""
        runs = [run for run in store.open_runs() if run.operator.runs_in_pods and not _never_came(run)]
        known = {cluster.name: cluster for cluster in clusters()}
        known |= {path: in_google(path) for path in ready_paths()} if runs else {}
        of_cluster: dict[str | None, list[Run]] = defaultdict(list)
        for run in runs:
            name = cluster_of_run(run)
            of_cluster[name if name in known else None].append(run)
        for name, its_runs in of_cluster.items():
            self._follow_cluster(known[name] if name else None, its_runs)
        self._forget(runs)
        return settings().collector_interval_seconds if runs else _IDLE_SECONDS

    def _follow_cluster(self, cluster: Cluster | None, runs: list[Run]) -> None:
        found = self._pods(cluster, runs) if cluster else {}
        for run in runs:
            pods = found.get(run_label_of(run.dag_id, run.dag_run_id))
            each([run], lambda one, pods=pods: self._follow(one, cluster, pods), visited=self._visited)  # type: ignore[misc]

    def _pods(self, cluster: Cluster, runs: list[Run]) -> dict[str, list[PodNews]]:
        """The pods of these runs by run label; a run is missing when the cluster could not be asked about it."""
        if time.monotonic() < self._away_until.get(cluster.name, 0):
            return {}
        found: dict[str, list[PodNews]] = {}
        asked = time.monotonic()
        try:
            client = self._client(cluster)
            for namespace, labels in _questions(runs):
                found |= _pods_of(client, namespace, labels)
        except PilothouseError as error:
            self._note_away(cluster.name, error, asked=asked)
            return {}
        return found

    def _client(self, cluster: Cluster) -> ClusterClient:
        known = self._clients.get(cluster.name)
        if known is None or known[0] != cluster:
            self._clients[cluster.name] = known = (cluster, ClusterClient(cluster))
        return known[1]

    def _note_away(self, name: str, error: PilothouseError, *, asked: float) -> None:
        moment = time.monotonic()
        if name not in self._away_until or moment > self._away_until[name] + _PAUSE_SECONDS:
            logger.warning("Cluster %s: %s", name, error.message)
        self._away_until[name] = moment + min(_PAUSE_SECONDS, _PAUSE_SHARE * (moment - asked))
        self._clients.pop(name, None)
        message = f"{error.message} {error.hint or ''}".strip()
        health.report(system_of(name), reachable=False, message=message)

    def _follow(self, run: Run, cluster: Cluster | None, pods: list[PodNews] | None) -> None:
        seen: set[int] = set()
        for pod in sorted(pods or [], key=lambda one: one.try_number):
            assert cluster is not None
            with store.writing() as opened:
                invocation = store.invocation_of_try(opened, run, pod.try_number)
            seen.add(invocation.id or 0)
            if not invocation.log_complete:
                self._follow_pod(run, invocation, cluster, pod)
        with store.writing() as opened:
            others = [one for one in store.invocations(opened, run.id) if not one.log_complete and one.id not in seen]
        for invocation in others:
            self._follow_without_pod(run, invocation, is_gone=pods is not None)

    def _follow_pod(self, run: Run, invocation: Invocation, cluster: Cluster, pod: PodNews) -> None:
        client = self._client(cluster)
        note_pod(run, invocation, cluster.name, pod, self._events(client, invocation, pod))
        log = self._log_of(invocation)
        log.follow(client, pod)
        log.keep_new()
        if log.is_withheld(pod):
            self._follow_without_pod(run, invocation, is_gone=False)
        elif pod.is_over and log.is_whole(pod):
            close_pod(log.invocation, is_whole=True)

    def _events(self, client: ClusterClient, invocation: Invocation, pod: PodNews) -> list[PodEvent]:
        """Asked for now and then while the pod starts; a running one says little there, and its end is told at once."""
        is_running = pod.dbt is not None and pod.dbt.state == "running"
        asked = self._asked_events.get(invocation.id or 0, -_EVENTS_SECONDS)
        if not pod.is_over and time.monotonic() - asked < _EVENTS_SECONDS * (15 if is_running else 1):
            return []
        self._asked_events[invocation.id or 0] = time.monotonic()
        try:
            return client.events(pod.namespace, pod.name)
        except BackendError as error:  # the right to read events may be missing; the pod's own state says most
            logger.debug("Events of %s: %s", pod.name, error.message)
            return []

    def _follow_without_pod(self, run: Run, invocation: Invocation, *, is_gone: bool) -> None:
        """Go on with Airflow's copy of the log: all that can be had when the pod is gone or cannot be asked."""
        log = self._log_of(invocation)
        if log.keep_new() or log.is_reading:
            return
        if is_gone and store.was_seen(invocation):
            note_gone(invocation)
        # before the reading, in whose midst the end may come
        is_told_whole = _row(invocation).task_log_complete or is_abandoned(run)
        if log.keep_from_task_log():
            note_running(run, invocation)
        row = _row(invocation)
        if is_told_whole and (row.log_bytes or store.was_seen(row)):
            close_pod(log.invocation, is_whole=False)
        elif run.state.is_terminal and run.finished_at and now() - run.finished_at > _LATE and is_told_whole:
            close_without_news(invocation)

    def _log_of(self, invocation: Invocation) -> PodLog:
        key = invocation.id or 0
        if key not in self._logs:
            self._logs[key] = PodLog(invocation)
        return self._logs[key]

    def _forget(self, runs: Iterable[Run]) -> None:
        """Drop what is about invocations that are closed."""
        store.forget_all_but(runs, self._visited)
        with store.writing() as opened:
            open_ids = {one.id for run in runs for one in store.invocations(opened, run.id) if not one.log_complete}
        for key in [one for one in self._logs if one not in open_ids]:
            self._logs.pop(key).stop()
            self._asked_events.pop(key, None)


def _row(invocation: Invocation) -> Invocation:
    """The invocation as it is now."""
    with store.writing() as opened:
        return opened.get_one(Invocation, invocation.id)


def _pods_of(client: ClusterClient, namespace: str, labels: list[str]) -> dict[str, list[PodNews]]:
    """Nothing for a namespace that the console may not read: that is no other run's matter."""
    try:
        pods = client.pods(namespace, selector=f"{RUN_LABEL} in ({','.join(labels)})")
    except BackendRejected as error:
        if error.status != 403:
            raise
        logger.debug("Pods of %s: %s", namespace, error.message)
        return {}
    return {label: [pod for pod in pods if pod.run_label == label] for label in labels}


def _never_came(run: Run) -> bool:
    return run.handed_over_at is None and run.state.is_terminal


def _questions(runs: Iterable[Run]) -> Iterable[tuple[str, list[str]]]:
    """What to ask a cluster for: namespaces, and the run labels to look for there, not too many at once."""
    labels: dict[str, list[str]] = defaultdict(list)
    for run in runs:
        namespace = run.conf.get("operator_parameters", {}).get("namespace") or "default"
        labels[namespace].append(run_label_of(run.dag_id, run.dag_run_id))
    for namespace, all_labels in labels.items():
        for start in range(0, len(all_labels), _LABELS_PER_QUESTION):
            yield namespace, all_labels[start : start + _LABELS_PER_QUESTION]
