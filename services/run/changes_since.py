"""What is not as it was between two runs: commits, parameters, and the project's code."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from models.run import Invocation, Run
from services.run import code_changes
from services.run.code_changes import CodeChange
from services.runs import comparing
from services.runs.comparing import Difference
from services.runs.history import invocations_of


@dataclass(frozen=True)
class Changes:
    """From the earlier run to the later one."""

    differences: list[Difference]
    code: list[CodeChange] | None
    """None when one of the runs left no manifest, so that it cannot be told."""
    commits: tuple[str, str] | None
    """The earlier and the later commit, where both are known and not the same."""
    commits_link: str | None
    """Where a person reads what was committed between them."""


def changes(before: Run, after: Run, *, source: dict[str, str] | None, failed: Iterable[str] = ()) -> Changes:
    """What changed; `source` is the project's, whose host may show commits, `failed` the nodes of interest."""
    pair = (before.git_sha, after.git_sha)
    commits = (pair[0], pair[1]) if pair[0] and pair[1] and pair[0] != pair[1] else None
    old, new = _last_try(before), _last_try(after)
    code = code_changes.code_changes(old, new, failed=failed) if old and new else None
    link = commits_link(source.get("url", ""), *commits) if source and commits else None
    return Changes(comparing.differences_of(before, after), code, commits, link)


def _last_try(run: Run) -> Invocation | None:
    tries = invocations_of(run.id or 0)
    return tries[-1] if tries else None


_HOST = re.compile(
    r"^(?:https://|ssh://(?:[^@/]+@)?|[^@/\s]+@)(?P<host>[\w.-]+)(?::\d+(?=/))?[:/](?P<path>[\w./~-]+?)(?:\.git)?/?$"
)


def commits_link(url: str, before: str, after: str) -> str | None:
    """The page of a repository's host that compares two commits; None for a host whose pages are not known."""
    match = _HOST.match(url)
    if match is None:
        return None
    host, base = match["host"], f"https://{match['host']}/{match['path'].lstrip('/')}"
    if "gitlab" in host:
        return f"{base}/-/compare/{before}...{after}"
    if "bitbucket" in host:
        return f"{base}/branches/compare/{after}..{before}"
    return f"{base}/compare/{before}...{after}" if "github" in host else None
