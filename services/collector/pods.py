"""What the collector writes of a pod: its facts, where its invocation stands, and its end."""

import logging
from typing import Any

from sqlmodel import Session, select

from contracts.dbt_api import Outcome
from contracts.log_artifacts import ARTIFACT_EVENT, ArtifactReader
from contracts.log_event import parse_log_line
from models.cluster import Pod
from models.run import Invocation, Run
from models.run_state import RunState
from models.types import now
from services import logs
from services.clusters import PodEvent, PodNews
from services.clusters.words import DELETED, how_it_ended, masked, steps_of, why_waiting
from services.collector import store, verdict
from services.collector.closing import KEPT, finish, keep_artifact

_STATE_OF_OUTCOME = {Outcome.SUCCESS: RunState.SUCCEEDED, Outcome.ABORTED: RunState.CANCELLED}

logger = logging.getLogger(__name__)


def note_pod(run: Run, invocation: Invocation, cluster: str, pod: PodNews, events: list[PodEvent]) -> None:
    """Take in where a pod stands. The terminal state is written at the close, with the whole log."""
    waiting = why_waiting(pod, events)
    ending = how_it_ended(pod, memory_limit=_limits(pod).get("memory"))
    with store.writing() as opened:
        row, fresh = opened.get_one(Invocation, invocation.id), opened.get_one(Run, run.id)
        _keep_facts(opened, row, cluster, pod, events)
        row.started_at = (pod.dbt and pod.dbt.started_at) or row.started_at
        fresh.collected_at = now()
        if ending:
            row.exit_code, row.outcome = ending.exit_code, ending.outcome
            row.message = ending.text or row.message
        if waiting:
            row.state, row.message = RunState.QUEUED, waiting.text if waiting.is_problem else None
            if not fresh.state.is_terminal:
                fresh.message = waiting.text
        elif row.state in (RunState.STARTING, RunState.QUEUED):
            row.state, row.message = RunState.RUNNING, ending.text if ending else None
        _pass_on(row, fresh)


def note_running(run: Run, invocation: Invocation) -> None:
    """dbt speaks in a pod that the cluster does not tell of."""
    with store.writing() as opened:
        row, fresh = opened.get_one(Invocation, invocation.id), opened.get_one(Run, run.id)
        if row.state in (RunState.STARTING, RunState.QUEUED):
            row.state, row.started_at = RunState.RUNNING, row.started_at or now()
        fresh.collected_at = now()
        _pass_on(row, fresh)


def _pass_on(row: Invocation, run: Run) -> None:
    if row.state is RunState.RUNNING and not run.state.is_terminal and run.state is not RunState.RUNNING:
        run.state, run.message = RunState.RUNNING, None
    run.started_at = run.started_at or row.started_at


def _keep_facts(opened: Session, row: Invocation, cluster: str, pod: PodNews, events: list[PodEvent]) -> None:
    kept = opened.exec(select(Pod).where(Pod.invocation_id == row.id)).one_or_none()
    facts = _facts(pod)
    kept = kept or Pod(invocation_id=row.id or 0, cluster=cluster, spec=masked(pod.spec), **facts)
    kept.sqlmodel_update(facts)
    if events or not kept.steps:
        kept.steps = steps_of(pod, events)
    kept.cluster, kept.seen_at, kept.gone_at = cluster, now(), None
    opened.add(kept)


def _facts(pod: PodNews) -> dict[str, Any]:
    dbt = pod.dbt
    return {
        "namespace": pod.namespace,
        "name": pod.name,
        "uid": pod.uid,
        "phase": pod.phase,
        "node": pod.node,
        "image": _dbt_spec(pod).get("image") or "",
        "image_digest": dbt.image_digest if dbt else None,
        "requests": (_dbt_spec(pod).get("resources") or {}).get("requests") or {},
        "limits": _limits(pod),
    }


def _dbt_spec(pod: PodNews) -> dict[str, Any]:
    containers = pod.spec.get("containers") or [{}]
    return dict(containers[0])


def _limits(pod: PodNews) -> dict[str, str]:
    return (_dbt_spec(pod).get("resources") or {}).get("limits") or {}


def note_gone(invocation: Invocation) -> None:
    """The cluster has no such pod any more."""
    with store.writing() as opened:
        kept = opened.exec(select(Pod).where(Pod.invocation_id == invocation.id)).one_or_none()
        if kept and kept.gone_at is None:
            kept.gone_at = now()


def close_pod(invocation: Invocation) -> None:
    """The end of an invocation whose log is whole: artifacts out of the log, results, the last word. Repeatable."""
    kept = []
    for name, content in _artifacts(invocation).items():
        if name in KEPT:
            keep_artifact(invocation, name, content)
            kept.append({"name": name, "bytes": len(content)})
    finish(invocation, kept, _note_end)


def _artifacts(invocation: Invocation) -> dict[str, bytes]:
    path, reader = logs.path_of(invocation), ArtifactReader()
    if not path.exists():
        return {}
    with path.open(errors="replace") as file:
        found = [reader.add(parse_log_line(line)) for line in file if ARTIFACT_EVENT in line]
    return {artifact.name: artifact.content for artifact in found if artifact}


def _note_end(row: Invocation, run: Run) -> None:
    """How dbt ended: as its container said, or, where nobody saw that, as Airflow says of the run."""
    if row.outcome is None:
        row.outcome = Outcome.SUCCESS if run.state is RunState.SUCCEEDED else None
        row.message = row.message or (DELETED if run.state is not RunState.SUCCEEDED and row.started_at else None)
    if run.cancel_requested_at and row.outcome != Outcome.SUCCESS:
        row.outcome = Outcome.ABORTED
    row.state = RunState.FAILED if row.outcome is None else _STATE_OF_OUTCOME.get(Outcome(row.outcome), RunState.FAILED)
    row.finished_at = row.finished_at or run.finished_at or now()
    if row.state is RunState.FAILED:
        row.message = verdict.short(row.message) if row.message else None
    else:
        row.message = None
