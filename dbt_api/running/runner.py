"""Carries one invocation from its queue slot to its end, also across a crash of the server.

`carry` may be called again at any moment after a kill -9: the row and the attempt's folder tell how far it came.
"""

import logging
import time
from pathlib import Path

from sqlmodel import Session

from contracts.dbt_api import InvocationState, Outcome
from dbt_api import store
from dbt_api.database import engine
from dbt_api.lifecycle import stopping
from dbt_api.running.attempt import Attempt
from dbt_api.running.command import option
from dbt_api.running.dbt_process import DbtCall, installed, keep_parse_cache, parse_cache
from dbt_api.running.outcome import failure, judge, read_story
from dbt_api.running.stopping import Stopping
from dbt_api.settings import settings
from dbt_api.tables import InvocationRow, ProjectRow

LOG = logging.getLogger(__name__)
LOOK_SECONDS = 0.01


class ServerStopping(BaseException):
    """Leaves a workflow without an ending, so that DBOS takes it up again at the next start.

    Not an Exception: DBOS would record one as the workflow's result.
    """


def carry(task_id: str) -> None:
    """Bring an invocation to a terminal state: start it, or go on where a killed server left it."""
    row = store.find(task_id)
    if row is None or row.state.is_terminal:
        return
    try:
        _end_what_was_left(row)
        _run(row)
    except Exception as error:
        LOG.exception("Invocation %s could not be carried out", task_id)
        store.finish(task_id, failure(Outcome.WORKER_LOST, f"The dbt API could not run dbt: {error}"))


def _end_what_was_left(row: InvocationRow) -> None:
    """One writer per target: what a killed server left running here is followed to its end before anything starts."""
    for other in store.in_state(InvocationState.STARTED, concurrency_key=row.concurrency_key):
        if other.task_id != row.task_id:
            _run(other)


def _run(row: InvocationRow) -> None:
    attempt = Attempt(row.task_id, row.attempt)
    if row.state is InvocationState.STARTED and (attempt.is_alive() or attempt.began or row.stop_reason):
        return follow(row, attempt)
    if stopping.is_set():
        raise ServerStopping
    started = _start(row)
    return follow(started, Attempt(row.task_id, started.attempt)) if started is not None else None


def _start(row: InvocationRow) -> InvocationRow | None:
    with Session(engine()) as opened:
        project = opened.get(ProjectRow, row.project)
    if project is None:
        store.finish(row.task_id, failure(Outcome.USAGE_ERROR, f"The project '{row.project}' was deleted."))
        return None
    started = store.begin(row, git_sha=project.git_sha, environment=project.environment)
    if started is not None:
        call = DbtCall(
            project=row.project,
            path=Path(project.path),
            words=row.command,
            target=_target_of(row),
            environment=project.environment,
            cache=_cache_of(row),
        )
        way = Attempt(started.task_id, started.attempt).start(call)
        store.note(row.task_id, engine=way.engine, engine_reason=way.reason)
    return started


def follow(row: InvocationRow, attempt: Attempt) -> None:
    """Wait until the attempt is over, stopping it when asked to; then write down how it ended."""
    stop = Stopping(row, attempt)
    while attempt.is_alive():
        stop.look()
        time.sleep(LOOK_SECONDS)
    conclude(row.task_id, attempt)


def conclude(task_id: str, attempt: Attempt) -> None:
    """The ending of an attempt of which nothing lives any more. Safe to repeat."""
    row = store.find(task_id)
    if row is None or row.state.is_terminal:
        return
    ending, story = attempt.ending(), read_story(attempt.log)
    limit = settings().memory_limit_mb
    verdict = judge(ending, story, stopped=row.stop_reason, because=row.stop_message, memory_limit_mb=limit)
    facts = (
        {"exit_code": ending.exit_code, "signal": ending.signal, "peak_rss_kb": ending.peak_rss_kb} if ending else {}
    )
    if option(row.command, "--vars") is None:  # other vars would make every run without them parse in full
        keep_parse_cache(attempt.target / "partial_parse.msgpack", _cache_of(row))
    version = story.dbt_version or installed(row.environment).get("core")
    store.finish(task_id, verdict, dbt_version=version, **facts)


def _cache_of(row: InvocationRow) -> Path:
    return parse_cache(row.project, _target_of(row))


def _target_of(row: InvocationRow) -> str:
    return row.concurrency_key.partition("/")[2]
