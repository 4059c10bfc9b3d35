"""What a retry runs: the nodes that an ended invocation left unfinished, read from its log.

dbt's own `retry` forgets the node that was running when dbt was interrupted, and has nothing to go by after a kill; the
log has both. Each node is named so that dbt selects exactly it, and nothing along with it.
"""

import json
from typing import Any

from contracts.dbt_api import InvocationState, OnLost, Outcome, RetryMode, RetryRequest, SubmitInvocation
from contracts.run_conf import DbtCommand
from contracts.selectors import selector_of
from dbt_api import store
from dbt_api.errors import ApiError
from dbt_api.projects.bundles import folder_of
from dbt_api.projects.dbt_answer import dbt_answer
from dbt_api.projects.parse import KINDS
from dbt_api.projects.problems import problems_of
from dbt_api.projects.registry import get_project
from dbt_api.records.counts import Node, Progress, progress_of
from dbt_api.records.record import record_of
from dbt_api.redaction import HIDDEN
from dbt_api.running.command import command_name, options_apart
from dbt_api.running.dbt_process import DbtCall
from dbt_api.tables import InvocationRow

RESUMABLE = {"build", "run", "test", "seed", "snapshot", "source freshness"}
"""Commands that change or check something node by node; the others are simply run again."""
SELECTION = {"--select", "-s", "--models", "--model", "-m", "--exclude"}
KINDS_OPTIONS = {"--resource-type", "--resource-types", "--exclude-resource-type", "--exclude-resource-types"}
SELECTION_BY_ONE = {"--selector", "--indirect-selection"}
READING = {"--vars", "--target", "-t", "--profile"}
LOOKED_THROUGH = 100
"""Ended invocations of a target, newest first, among which `dbt retry` finds the one that it means."""
BROKEN_OFF = {Outcome.ABORTED, Outcome.TIMEOUT, Outcome.WORKER_LOST, Outcome.OUT_OF_MEMORY}


def reason_against(row: InvocationRow, mode: RetryMode = RetryMode.FAILED) -> str | None:
    """Why this invocation cannot be retried so; None when it can, as far as its row tells."""
    if not row.state.is_terminal:
        return "It has not ended."
    if HIDDEN in row.env.values() or any(HIDDEN in word for word in row.command):
        return "It had secret values, which are not kept after the end: submit it anew."
    if mode is not RetryMode.ALL and row.state is InvocationState.SUCCESS:
        return "It succeeded: nothing is left to run."
    return None


def newest_of(concurrency_key: str, words: list[str]) -> InvocationRow:
    """The invocation that `dbt retry` would mean for a project and target. Raises ApiError 409 without one, 422 for
    words that would make it another command.
    """
    if options_apart(words, several=set(), one={"--target", "-t"})[1] != ["retry"]:
        raise ApiError(422, "`retry` repeats the newest command of a target as it was: it takes --target only.")
    ended = store.newest_ended(concurrency_key, limit=LOOKED_THROUGH)
    found = next((row for row in ended if command_name(row.command) in RESUMABLE), None)
    if found is None:
        raise ApiError(409, f"There is no earlier command of '{concurrency_key}' to retry.")
    return found


def retry_of(row: InvocationRow, request: RetryRequest) -> SubmitInvocation:
    """The request that retries this invocation. Raises ApiError 409 with the reason where that makes no sense."""
    if (reason := reason_against(row, request.mode)) is not None:
        raise _conflict(row, reason)
    return SubmitInvocation(
        task_id=request.task_id,
        project=row.project,
        environment=row.environment,
        command=row.command if request.mode is RetryMode.ALL else _narrowed(row, request.mode),
        env=row.env,
        defer_to=row.defer_to,
        timeout_seconds=row.timeout_seconds,
        priority=row.priority,
        on_lost=OnLost.REQUEUE if row.max_attempts > 1 else OnLost.FAIL,
        max_attempts=row.max_attempts,
        tags=row.tags,
        metadata=row.client_metadata,
        callback_url=row.callback_url,
        requested_by=request.requested_by,
    )


def _narrowed(row: InvocationRow, mode: RetryMode) -> list[str]:
    """The command with the unfinished nodes as its selection; as it was when there is nothing to resume from."""
    record = record_of(row)
    progress = progress_of(record)
    if mode is RetryMode.INTERRUPTED and row.outcome not in BROKEN_OFF:
        raise _conflict(row, "It was not broken off: nothing was interrupted.")
    if command_name(row.command) not in RESUMABLE or not progress.nodes:
        return row.command
    wanted = _unfinished(row, progress)
    if mode is RetryMode.INTERRUPTED:
        failed = {name for name, node in progress.nodes.items() if node.has_failed}
        wanted -= failed | _below(failed, record.json_artifact("manifest.json"))
    if not wanted:
        raise _conflict(row, f"No node is left that a retry in mode '{mode}' would run.")
    selectors = [_selector(name, progress.nodes.get(name)) for name in sorted(wanted)]
    _, rest = options_apart(row.command, several=SELECTION, one=SELECTION_BY_ONE)
    return [*rest, "--indirect-selection", "empty", "--select", *selectors]


def _unfinished(row: InvocationRow, progress: Progress) -> set[str]:
    """Nodes that failed, were skipped or interrupted, and those never started, which no event names: dbt is asked."""
    seen = {name for name, node in progress.nodes.items() if not node.is_done}
    if (progress.total or 0) > len(progress.nodes):
        seen |= _selected(row) - set(progress.nodes)
    return seen


def _selected(row: InvocationRow) -> set[str]:
    """The nodes that the command selects, by `dbt ls`. Raises ApiError 409 when dbt cannot tell any more."""
    project = get_project(row.project)
    options, _ = options_apart(row.command, several=SELECTION | KINDS_OPTIONS, one=SELECTION_BY_ONE | READING)
    kinds = KINDS[DbtCommand(command_name(row.command))]
    words = ["ls", "--output", "json", "--output-keys", "unique_id", *options]
    if KINDS_OPTIONS.isdisjoint(words):
        words += [word for kind in kinds for word in ("--resource-type", kind)]
    target = row.concurrency_key.partition("/")[2]
    with dbt_answer(DbtCall(project.name, folder_of(project), words, target, row.environment)) as answer:
        if answer.exit_code != 0:
            said = "; ".join(each.message for each in problems_of(answer.events) if each.kind != "warning")
            raise _conflict(row, f"dbt cannot tell any more what it had selected: {said}")
        printed = [event.message for event in answer.events if event.name in ("PrintEvent", "")]
    listed = {json.loads(line)["unique_id"] for line in printed if line.startswith('{"unique_id":')}
    return {name for name in listed if name.partition(".")[0] in kinds}


def _selector(unique_id: str, node: Node | None) -> str:
    return selector_of(unique_id, path=node.path if node is not None else None)


def _below(failed: set[str], manifest: dict[str, Any]) -> set[str]:
    """All that depends on what failed, by the manifest that dbt wrote; nothing without one."""
    children: dict[str, Any] = manifest.get("child_map") or {}
    below: set[str] = set()
    left = list(failed)
    while left:
        new = set(children.get(left.pop(), ())) - below
        below |= new
        left += new
    return below


def _conflict(row: InvocationRow, reason: str) -> ApiError:
    return ApiError(409, f"'{row.task_id}' cannot be retried so. {reason}")
