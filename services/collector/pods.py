"""What the collector writes of a pod: its facts, where its invocation stands, and its end."""

import re
from collections.abc import Iterator
from typing import Any

from sqlmodel import Session, select

from contracts.dbt_api import Outcome
from contracts.log_artifacts import ARTIFACT_EVENT, ArtifactReader
from contracts.log_event import LogEvent, parse_log_line
from contracts.names import DBT_CONTAINER
from models.cluster import Pod
from models.run import Invocation, Run
from models.run_state import RunState
from models.types import now
from services import logs
from services.clusters import PodEvent, PodNews, pod_of
from services.clusters.words import (
    DBT,
    DELETED,
    Ending,
    how_it_ended,
    in_order,
    masked,
    of_exit,
    step_of_end,
    steps_of,
    why_waiting,
)
from services.collector import store, verdict
from services.collector.closing import KEPT, finish, keep_artifact, last_lines

_STATE_OF_OUTCOME = {Outcome.SUCCESS: RunState.SUCCEEDED, Outcome.ABORTED: RunState.CANCELLED}

_TOLD_CONTAINER = re.compile(
    rf"Container '{DBT_CONTAINER}': state='TERMINATED', reason='(?P<reason>\w+)', exit_code=(?P<exit_code>\d+)"
)
"""What Airflow's provider logs of a failed pod (log_events_on_failure)."""
_COMPLETED_EVENT = "CommandCompleted"


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
            if not (waiting.is_repetition and row.message):
                row.message = waiting.text if waiting.is_problem else None
            row.state = RunState.QUEUED
            if not fresh.state.is_terminal:
                fresh.message = row.message or waiting.text
        elif pod.dbt and pod.dbt.has_log and row.state in (RunState.STARTING, RunState.QUEUED):
            row.message = ending.text if ending else None
            _begin(row, fresh)
        _pass_on(row, fresh)


def note_running(run: Run, invocation: Invocation) -> None:
    """dbt speaks in a pod that the cluster does not tell of."""
    with store.writing() as opened:
        row, fresh = opened.get_one(Invocation, invocation.id), opened.get_one(Run, run.id)
        if row.state in (RunState.STARTING, RunState.QUEUED):
            row.started_at = row.started_at or now()
            _begin(row, fresh)
        fresh.collected_at = now()
        _pass_on(row, fresh)


def _begin(row: Invocation, run: Run) -> None:
    """dbt runs: what was waited for is not said any more, be it by a run that runs since an earlier try."""
    row.state = RunState.RUNNING
    if not run.state.is_terminal:
        run.message = None


def _pass_on(row: Invocation, run: Run) -> None:
    if row.state is RunState.RUNNING and not run.state.is_terminal and run.state is not RunState.RUNNING:
        run.state, run.message = RunState.RUNNING, None
    run.started_at = run.started_at or row.started_at


def _keep_facts(opened: Session, row: Invocation, cluster: str, pod: PodNews, events: list[PodEvent]) -> None:
    kept = opened.exec(select(Pod).where(Pod.invocation_id == row.id)).one_or_none()
    facts = _facts(pod)
    kept = kept or Pod(invocation_id=row.id or 0, cluster=cluster, spec=masked(pod.spec), **facts)
    kept.sqlmodel_update({name: value for name, value in facts.items() if value})
    kept.steps = _with_known_events(steps_of(pod, events), kept.steps or [])
    kept.cluster, kept.seen_at, kept.gone_at = cluster, now(), None
    opened.add(kept)


def _with_known_events(steps: list[dict[str, Any]], known: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events are not asked for on every round, and a cluster forgets them: what was told before stays."""
    told = {_identity(step) for step in steps}
    return in_order([*steps, *(step for step in known if _identity(step) not in told)])


def _identity(step: dict[str, Any]) -> str:
    """Of an event its own, of a change of state its title: each happens once to a pod."""
    return str(step.get("event") or step["title"])


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


def close_pod(invocation: Invocation, *, is_whole: bool) -> None:
    """The end of an invocation whose log is over: artifacts out of the log, results, the last word. Repeatable.

    Not `is_whole` is a log that was not read to its end in the pod: it has its end if dbt's last words are in it.
    """
    reader, succeeded = ArtifactReader(), None
    artifacts: dict[str, bytes] = {}
    for event in _last_events(invocation):
        if event.name == _COMPLETED_EVENT:
            succeeded = bool(event.data.get("success"))
        elif (artifact := reader.add(event)) and artifact.name in KEPT:
            artifacts[artifact.name] = artifact.content
    for name, content in artifacts.items():
        keep_artifact(invocation, name, content)
    kept = [{"name": name, "bytes": len(content)} for name, content in artifacts.items()]
    told = _told_by_airflow(invocation)
    is_end_missing = not is_whole and succeeded is None and not artifacts

    def note_end(row: Invocation, run: Run) -> None:
        _note_end(row, run, succeeded, told)
        row.log_end_missing = is_end_missing

    finish(invocation, kept, note_end)
    _note_unseen_end(invocation)


def _note_unseen_end(invocation: Invocation) -> None:
    """Complete the story of a pod that was deleted before the cluster could tell of its end."""
    with store.writing() as opened:
        row = opened.get_one(Invocation, invocation.id)
        kept = opened.exec(select(Pod).where(Pod.invocation_id == row.id)).one_or_none()
        if kept is None or kept.gone_at is None or row.started_at is None:
            return
        end = step_of_end(DBT, row.dbt_ended_at or kept.gone_at, row.exit_code)
        if end["title"] not in (step["title"] for step in kept.steps):
            kept.steps = in_order([*kept.steps, end])


def _told_by_airflow(invocation: Invocation) -> Ending | None:
    """How the container of a failed pod ended, as Airflow logged it before it deleted the pod."""
    for line in last_lines(logs.path_of(invocation, "airflow")):
        if match := _TOLD_CONTAINER.search(line):
            pod = pod_of(invocation.id or 0)
            limit = pod.limits.get("memory") if pod else None
            return of_exit(int(match["exit_code"]), match["reason"], memory_limit=limit)
    return None


def _last_events(invocation: Invocation) -> Iterator[LogEvent]:
    """What dbt and the image's entrypoint say at the end."""
    path = logs.path_of(invocation)
    if path.exists():
        with path.open(errors="replace") as file:
            yield from (parse_log_line(line) for line in file if ARTIFACT_EVENT in line or _COMPLETED_EVENT in line)


def _note_end(row: Invocation, run: Run, succeeded: bool | None, told: Ending | None) -> None:
    """How dbt ended: as its container said, or, where we did not see that, Airflow's word or dbt's own last one."""
    if row.outcome is None and told:
        row.outcome, row.exit_code, row.message = told.outcome, told.exit_code, told.text or row.message
    elif row.outcome is None and succeeded is not None:
        row.outcome = Outcome.SUCCESS if succeeded else Outcome.MODEL_ERROR
    elif row.outcome is None and row.started_at:
        row.outcome, row.message = Outcome.WORKER_LOST, row.message or DELETED
    if run.cancel_requested_at and row.outcome != Outcome.SUCCESS:
        row.outcome = Outcome.ABORTED
    row.state = RunState.FAILED if row.outcome is None else _STATE_OF_OUTCOME.get(Outcome(row.outcome), RunState.FAILED)
    row.finished_at = row.finished_at or run.finished_at or now()
    if row.state is RunState.FAILED:
        row.message = verdict.short(row.message) if row.message else None
    else:
        row.message = None
