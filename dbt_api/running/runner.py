"""Carries one invocation from its queue slot to its end, also across a crash of the server.

`carry` may be called again at any moment after a kill -9: the row and the attempt's folder tell how far it came.
"""

import logging
import time
from pathlib import Path

from sqlalchemy.exc import OperationalError

from contracts.dbt_api import InvocationState, Outcome
from dbt_api import store
from dbt_api.errors import ApiError
from dbt_api.lifecycle import stopping
from dbt_api.projects.bundles import folder_of
from dbt_api.projects.defer import defer_words
from dbt_api.projects.learning import learn_from
from dbt_api.projects.registry import find_project
from dbt_api.records.counts import facts_of_end
from dbt_api.records.record import record_of
from dbt_api.records.shared_files import Upload
from dbt_api.running.alone import alone
from dbt_api.running.attempt import Attempt
from dbt_api.running.command import option
from dbt_api.running.dbt_process import DbtCall, installed, keep_parse_cache, parse_cache
from dbt_api.running.outcome import failure, judge, read_story
from dbt_api.running.stopping import ROW_LOOK_SECONDS, Stopping
from dbt_api.sealing import environment_of, plain_request, scrub_artifacts
from dbt_api.settings import settings
from dbt_api.tables import InvocationRow, StopReason
from dbt_api.workers.lease import lease
from dbt_api.workers.lost import is_ours

LOG = logging.getLogger(__name__)
AGAIN_SECONDS = 1.0
AWAY = 503


class ServerStopping(BaseException):
    """Leaves a workflow without an ending, so that DBOS takes it up again at the next start.

    Not an Exception: DBOS would record one as the workflow's result.
    """


def carry(task_id: str) -> None:
    """Bring an invocation to a terminal state: start it, or go on where a killed server left it.

    While the database or the shared storage is away, or another worker still has the target, it looks again and again;
    so it does for one that waits for its next attempt.
    """
    while not _carried(task_id):
        if stopping.is_set():
            raise ServerStopping
        time.sleep(AGAIN_SECONDS)


def _carried(task_id: str) -> bool:
    try:
        row = store.find(task_id)
        if row is None or row.state.is_terminal:
            return True
        return _end_what_was_left(row) and _run(task_id) and _is_over(task_id)
    except OperationalError as error:
        LOG.warning("The database failed while %s was carried out: %s", task_id, error)
        return False
    except ApiError as error:
        if error.status == AWAY:
            LOG.warning("%s cannot be started yet: %s", task_id, error)
            return False
        store.finish(task_id, failure(Outcome.USAGE_ERROR, " ".join(filter(None, (error.detail, error.hint)))))
        return True
    except Exception as error:
        LOG.exception("Invocation %s could not be carried out", task_id)
        store.finish(task_id, failure(Outcome.WORKER_LOST, f"The dbt API could not run dbt: {error}"))
        return True


def _is_over(task_id: str) -> bool:
    row = store.find(task_id)
    return row is None or row.state.is_terminal


def _end_what_was_left(row: InvocationRow) -> bool:
    """One writer per target: what a killed server left running here is followed to its end before anything starts.

    False while the target belongs to another worker, which ends its invocation or is declared lost.
    """
    others = store.in_state(InvocationState.STARTED, concurrency_key=row.concurrency_key)
    if any(not is_ours(each) for each in others):
        return False
    return all(_run(each.task_id) for each in others if each.task_id != row.task_id)


def _run(task_id: str) -> bool:
    """Start it unless that was done, and follow it. False when it could not be started: look again."""
    with alone(task_id):
        row = store.find(task_id)
        if row is None or row.state.is_terminal:
            return True
        attempt = Attempt(task_id, row.attempt)
        has_begun = attempt.is_alive() or attempt.began or row.stop_reason is not None
        started = row if row.state is InvocationState.STARTED and has_begun else _start(row)
    if started is None:
        return False
    follow(started, Attempt(task_id, started.attempt))
    return True


def _start(row: InvocationRow) -> InvocationRow | None:
    if stopping.is_set() or lease.lapsed:
        raise ServerStopping
    project = find_project(row.project)
    if project is None:
        store.finish(row.task_id, failure(Outcome.USAGE_ERROR, f"The project '{row.project}' was deleted."))
        return None
    path = folder_of(project)
    started = store.begin(row, git_sha=project.git_sha, worker=settings().worker_name)
    if started is not None:
        attempt, plain = Attempt(started.task_id, started.attempt), plain_request(row)
        call = DbtCall(
            project=row.project,
            path=path,
            words=[*plain.command, *defer_words(row, attempt.folder)],
            target=_target_of(row),
            environment=row.environment,
            cache=_cache_of(row),
            client_variables=environment_of(plain),
        )
        if not (attempt.is_alive() or attempt.began):  # else a database that lost its last words forgot the start
            way = attempt.start(call)
            store.note(row.task_id, engine=way.engine, engine_reason=way.reason)
    return started


def follow(row: InvocationRow, attempt: Attempt) -> None:
    """Wait until the attempt is over, stopping it when asked to; then write down how it ended."""
    stop = Stopping(row, attempt)
    with Upload(attempt):
        while attempt.is_alive():
            stop.look()
            attempt.wait(ROW_LOOK_SECONDS)
        scrub_artifacts(attempt.target, row)
    conclude(row.task_id, attempt)


def conclude(task_id: str, attempt: Attempt) -> None:
    """The ending of an attempt of which nothing lives any more. Safe to repeat."""
    row = store.find(task_id)
    if row is None or row.state.is_terminal or row.attempt != attempt.number:
        return
    ending, story = attempt.ending(), read_story(attempt.log)
    stopped, because = row.stop_reason, row.stop_message
    if stopped is None and attempt.lease_lapsed:
        stopped, because = StopReason.SHUTDOWN, "The worker was cut off from the queue's database, so it ended its dbt."
    limit = settings().memory_limit_mb
    verdict = judge(ending, story, stopped=stopped, because=because, memory_limit_mb=limit)
    if verdict.outcome is Outcome.WORKER_LOST and store.requeue(row):
        return
    facts = (
        {"exit_code": ending.exit_code, "signal": ending.signal, "peak_rss_kb": ending.peak_rss_kb} if ending else {}
    )
    if option(row.command, "--vars") is None and not row.env:  # others would make every run without them parse in full
        keep_parse_cache(attempt.target / "partial_parse.msgpack", _cache_of(row))
    learn_from(row, attempt, succeeded=verdict.state is InvocationState.SUCCESS)
    facts |= facts_of_end(record_of(row))
    version = story.dbt_version or installed(row.environment).get("core")
    store.finish(task_id, verdict, attempt=attempt.number, dbt_version=version, **facts)


def _cache_of(row: InvocationRow) -> Path:
    return parse_cache(row.project, _target_of(row))


def _target_of(row: InvocationRow) -> str:
    return row.concurrency_key.partition("/")[2]
