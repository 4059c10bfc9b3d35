"""What an ended invocation teaches of its project: the results of its nodes, and after a success its manifest."""

import logging

from dbt_api.projects import history, manifests
from dbt_api.running.attempt import Attempt
from dbt_api.running.command import command_name, option
from dbt_api.tables import InvocationRow

LOG = logging.getLogger(__name__)
EXECUTING = {"build", "run", "test", "seed", "snapshot", "source freshness"}
"""The other commands finish nodes too, but only by compiling them."""


def learn_from(row: InvocationRow, attempt: Attempt, *, succeeded: bool) -> None:
    """Keep it. Never raises: the invocation's own end must not depend on it.

    With other vars a project may have other nodes, so the manifest of such an invocation is not the project's.
    """
    try:
        if command_name(row.command) in EXECUTING:
            history.keep(row, attempt.log)
        if succeeded and option(row.command, "--vars") is None:
            target = row.concurrency_key.partition("/")[2]
            manifests.keep(row.project, target, attempt.target, git_sha=row.git_sha, task_id=row.task_id)
    except Exception:
        LOG.exception("What %s did could not be kept for its project", row.task_id)
