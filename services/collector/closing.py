"""The end of an invocation: its artifacts are kept and complete the node results, and the run gets its last word."""

import json
import logging
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from contracts import dbt_api as api_contract
from contracts.dbt_api import Outcome
from models.project import Project, ProjectNode
from models.run import Invocation, Run
from models.run_state import FROM_DBT_API, RunState
from services import logs
from services.collector import store, verdict
from services.collector.explaining import explain
from services.dbt_api import DbtApi
from services.errors import BackendRejected, NotFound
from services.results import Fold, close, name_causes
from services.run.freshness import FILE as SOURCES
from services.run.freshness import note_ages

KEPT = ("run_results.json", "manifest.json", "catalog.json", "sources.json")
"""The artifacts of dbt that are kept."""
_TAIL_LINES = 400

logger = logging.getLogger(__name__)


def close_invocation(api: DbtApi, invocation: Invocation, news: api_contract.Invocation) -> None:
    """Take in the end of an invocation whose log is complete. Safe to repeat. Raises BackendError to be repeated."""
    kept = _keep_artifacts(api, invocation, news)

    def note_end(row: Invocation, run: Run) -> None:
        _note_end(row, news)
        run.git_sha = news.git_sha or run.git_sha

    finish(invocation, kept, note_end)


def finish(invocation: Invocation, kept: list[dict[str, Any]], note_end: Callable[[Invocation, Run], None]) -> None:
    """Complete the node results with the kept artifacts and say the last word; `note_end` writes how dbt ended."""
    folder = logs.artifacts_of(invocation)
    run_results, manifest = _read_json(folder / "run_results.json"), _read_json(folder / "manifest.json")
    with store.writing() as opened:
        row, run = opened.get_one(Invocation, invocation.id), opened.get_one(Run, invocation.run_id)
        nodes = store.all_nodes(opened, row.id)
        close(Fold(nodes=nodes), run_results=run_results)
        note_ages(nodes, _read_json(folder / SOURCES))
        name_causes(nodes, _graph(manifest) or _parsed_graph(opened, run.project))
        explain(nodes.values(), logs.path_of(invocation), manifest)
        note_end(row, run)
        row.artifacts, row.log_complete = kept, True
        store.count_nodes(opened, run, row)
        conclude(opened, run)


def close_without_news(invocation: Invocation) -> None:
    """The dbt API does not know the invocation (any more), and it will not: keep what there is.

    A try that submitted nothing is no invocation: its task log goes on where the one before it ends.
    """
    with store.writing() as opened:
        row, run = opened.get_one(Invocation, invocation.id), opened.get_one(Run, invocation.run_id)
        before = [one for one in store.invocations(opened, run.id) if one.try_number < row.try_number]
        if before and not store.was_seen(row):
            if row.task_log_complete and before[-1].task_log_complete:
                _join_task_logs(before[-1], row)
                store.join_tries(before[-1], row)
                opened.delete(row)
            return
        nodes = store.all_nodes(opened, row.id)
        close(Fold(nodes=nodes))
        explain(nodes.values(), logs.path_of(invocation), {})
        if not row.state.is_terminal:
            row.state = RunState.CANCELLED if run.cancel_requested_at else RunState.FAILED
            row.finished_at = run.finished_at
        row.log_end_missing = bool(row.log_bytes) or run.state is RunState.SUCCEEDED
        if row.log_bytes:
            row.message = row.message or "The dbt API no longer has the rest of this invocation's log."
        row.log_complete = True
        conclude(opened, run)


def conclude(opened: Session, run: Run) -> None:
    """Say the last word on a run that is over, as far as is known now."""
    if not run.state.is_terminal:
        return
    newest = store.newest(opened, run.id)
    if run.state is RunState.FAILED and newest and newest.state is RunState.CANCELLED:
        run.state = RunState.CANCELLED
    if run.state is RunState.SUCCEEDED and newest and newest.log_complete and _ended_unseen(run, newest):
        newest.state, newest.outcome, newest.message = RunState.SUCCEEDED, Outcome.SUCCESS, None
    nodes = list(store.all_nodes(opened, newest.id).values()) if newest else []
    tail = last_lines(logs.path_of(newest, "airflow")) if newest else []
    run.message = verdict.why_over(run, newest, nodes, tail)


def _ended_unseen(run: Run, invocation: Invocation) -> bool:
    """Whether nobody told us how dbt ended: then it ended as Airflow, which waited for it, says of the run."""
    is_lost = run.operator.runs_in_pods and invocation.outcome == Outcome.WORKER_LOST
    return invocation.state is RunState.FAILED and (invocation.outcome is None or is_lost)


def _join_task_logs(before: Invocation, after: Invocation) -> None:
    text = logs.path_of(after, "airflow").read_bytes() if after.task_log_bytes else b""
    if text:
        logs.append(logs.path_of(before, "airflow"), before.task_log_bytes, text)
        before.task_log_bytes += len(text)


def _keep_artifacts(api: DbtApi, invocation: Invocation, news: api_contract.Invocation) -> list[dict[str, Any]]:
    kept = []
    for artifact in news.artifacts:
        if artifact.name in KEPT and _keep(api, invocation, artifact.name):
            kept.append(artifact.model_dump())
    return kept


def _keep(api: DbtApi, invocation: Invocation, name: str) -> bool:
    """Fetch one artifact."""
    try:
        content = api.artifact(invocation.task_id, name)
    except (NotFound, BackendRejected) as error:
        logger.warning("%s of %s: %s", name, invocation.task_id, error.message)
        return False
    keep_artifact(invocation, name, content)
    return True


def keep_artifact(invocation: Invocation, name: str, content: bytes) -> None:
    """Write an artifact, whole or not at all."""
    path = logs.artifacts_of(invocation) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _graph(manifest: dict[str, Any]) -> dict[str, list[str]]:
    """What each node depends on, from manifest.json (v4 and later)."""
    nodes = {**(manifest.get("nodes") or {}), **(manifest.get("unit_tests") or {})}
    return {name: (node.get("depends_on") or {}).get("nodes") or [] for name, node in nodes.items()}


def _parsed_graph(opened: Session, project: str) -> dict[str, list[str]]:
    """The graph as last parsed, for a dbt that was killed before it wrote its manifest."""
    rows = select(ProjectNode).join(Project).where(Project.name == project)
    return {node.unique_id: node.depends_on for node in opened.exec(rows)}


def _note_end(row: Invocation, news: api_contract.Invocation) -> None:
    row.state = FROM_DBT_API[news.state]
    row.outcome, row.exit_code = news.outcome, news.exit_code
    row.started_at, row.finished_at = news.started_at or row.started_at, news.finished_at
    row.dbt_version = row.dbt_version or news.dbt_version
    row.queue_position = None
    failed = row.state is RunState.FAILED
    row.message = (
        verdict.why_invocation_failed(news.outcome, news.signal, news.exc_message, row.message) if failed else None
    )


def last_lines(path: Path) -> list[str]:
    """The end of a log file; nothing when there is none."""
    try:
        with path.open(errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=_TAIL_LINES)]
    except FileNotFoundError:
        return []
