"""From a request's fields to dbt's words, and to the words by which two requests are the same command."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from contracts.dbt_api import TASK_ID_PATTERN, SubmitInvocation
from dbt_api.errors import ApiError
from dbt_api.settings import settings

OPTIONS = {
    "target": ("--target", "-t"),
    "vars": ("--vars",),
    "threads": ("--threads",),
    "full_refresh": ("--full-refresh", "-f"),
    "select": ("--select", "-s", "--models", "--model", "-m"),
    "exclude": ("--exclude",),
}
"""Fields of a request, and dbt's names for the same."""


NEVER_FROM_CLIENTS = ("PATH", "HOME", "PYTHON*", "LD_*", "PILOTHOUSE_*", "DBT_*_PATH", "DBT_*_DIR", "DBT_STATE")
"""Whatever the settings allow: these choose where code comes from and where files go."""


def composed(submitted: SubmitInvocation) -> list[str]:
    """The request's command with its other fields as options. Raises ApiError 422 for one that is given twice."""
    for field, names in OPTIONS.items():
        if getattr(submitted, field) and any(word.partition("=")[0] in names for word in submitted.command):
            raise ApiError(422, f"'{field}' is given twice: apart, and in the command as {names[0]}.")
    return [*submitted.command, *_options(submitted)]


def _options(submitted: SubmitInvocation) -> Iterator[str]:
    if submitted.target is not None:
        yield from ("--target", submitted.target)
    if submitted.vars:
        yield from ("--vars", json.dumps(submitted.vars))
    if submitted.threads is not None:
        yield from ("--threads", str(submitted.threads))
    if submitted.full_refresh:
        yield "--full-refresh"
    if submitted.select:
        yield from ("--select", *submitted.select)
    if submitted.exclude:
        yield from ("--exclude", *submitted.exclude)


def allowed_env(env: dict[str, str]) -> dict[str, str]:
    """The client's variables for dbt. Raises ApiError 422 for a name that the settings don't allow."""
    patterns = settings().client_environment_allowed
    refused = sorted(name for name in env if not _matches(name, patterns) or _matches(name, NEVER_FROM_CLIENTS))
    if refused:
        raise ApiError(
            422,
            f"A client may not set: {', '.join(refused)}.",
            hint=f"Allowed by PILOTHOUSE_DBT_API_CLIENT_ENVIRONMENT_ALLOWED: {', '.join(patterns)}.",
        )
    return env


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, each) for each in patterns)


def task_id_of_key(key: str) -> str:
    """The task_id that an Idempotency-Key header means: the key itself where it can be one, else its hash."""
    bare = key.strip().strip('"')
    if re.fullmatch(TASK_ID_PATTERN, bare) and bare.strip("."):
        return bare
    return f"key-{hashlib.sha256(bare.encode()).hexdigest()[:40]}"


def command_hash(project: str, words: list[str]) -> str:
    """Identity of a project's command, by which earlier runs of it are found."""
    return hashlib.sha256(json.dumps([project, *words]).encode()).hexdigest()
