"""Sorts what dbt says when a project doesn't parse into kinds that people can act on, each with a way on.

The patterns are dbt-core 1.12's own words; tests/unit/dbt_api/test_projects.py keeps a broken project for each kind.
"""

import re
from collections.abc import Iterable
from typing import Literal

from contracts.dbt_api import ParseProblem
from contracts.log_event import LogEvent

Kind = Literal[
    "profile_missing", "adapter_missing", "cycle", "compilation", "yaml", "dependency", "not_a_project", "other"
]
WARNINGS_SHOWN = 50
PREFIX = re.compile(r"^\[(?:ERROR|WARNING)\]: (?:Encountered an error:\s*)?")
FILE = re.compile(
    r"(?:Error in \w+ [\w.]+ \(|' \(|file at |Error reading \w+: |of file '|encountered in )'?([^\s'()]+\.\w+)"
)
ADAPTER = re.compile(r"Could not find adapter type '?(\w+)|No module named 'dbt\.adapters\.(\w+)'")
VARIABLE = re.compile(r"Env var required but not provided: '(\w+)'")
NO_SECRET = re.compile(r"None is not of type 'string'")
"""What dbt says of a profile whose DBT_ENV_SECRET_… variable is not set."""
RULES: list[tuple[Kind, re.Pattern[str]]] = [
    ("adapter_missing", ADAPTER),
    ("other", VARIABLE),
    ("dependency", re.compile(r"dbt deps|package dependencies")),
    ("cycle", re.compile(r"Found a cycle")),
    ("yaml", re.compile(r"Syntax error near line|schema file at|not valid under any of the given schemas")),
    ("profile_missing", re.compile(r"Could not find profile|does not have a target|profiles\.yml|profiles-dir")),
    ("not_a_project", re.compile(r"No dbt_project\.yml found|dbt_project\.yml")),
    ("compilation", re.compile(r"Compilation Error|Parsing Error")),
]
HINTS: dict[Kind, str] = {
    "profile_missing": "Put a profiles.yml with the profile and target that the project names into its folder.",
    "cycle": "These nodes refer to each other in a circle: take one of the refs away.",
    "compilation": "Correct the file, then parse again.",
    "yaml": "Correct the YAML, then parse again.",
    "dependency": "Repeat the step that gets the source ready: it installs the project's packages (`dbt deps`).",
    "not_a_project": "Correct dbt_project.yml in the project's folder.",
}


def problems_of(events: Iterable[LogEvent]) -> list[ParseProblem]:
    """Errors first, then warnings, each text once."""
    told = list(events)
    errors = _texts(told, "error")
    if not errors:
        plain = "\n".join(event.message for event in told if not event.name).strip()
        errors = [plain] if plain else []
    warnings = _texts(told, "warn")[:WARNINGS_SHOWN]
    return [problem_of(text) for text in errors] + [
        ParseProblem(kind="warning", message=text, file=_file(text)) for text in warnings
    ]


def problem_of(text: str) -> ParseProblem:
    """One error of dbt's with its kind, its file if it names one, and a hint."""
    kind: Kind = next((kind for kind, pattern in RULES if pattern.search(text)), "other")
    return ParseProblem(kind=kind, message=text, hint=_hint(kind, text), file=_file(text))


def plain_text(message: str) -> str:
    """dbt's message without the words that only say that it is one."""
    return PREFIX.sub("", message).strip()


def _texts(events: list[LogEvent], level: str) -> list[str]:
    texts = [plain_text(event.message) for event in events if event.level == level and event.name]
    return [text for text in dict.fromkeys(texts) if text]


def _file(text: str) -> str | None:
    found = FILE.search(text)
    return found[1] if found else None


def _hint(kind: Kind, text: str) -> str | None:
    variable, adapter = VARIABLE.search(text), ADAPTER.search(text)
    if variable:
        return f"Set the environment variable {variable[1]} for the dbt API and start it again."
    if NO_SECRET.search(text):
        return "Set the DBT_ENV_SECRET_… variables that profiles.yml names for the dbt API and start it again."
    if adapter:
        package = f"dbt-{adapter[1] or adapter[2]}"
        return f"Add the package {package} to dbt_api/requirements.in and compile its lock again."
    return HINTS.get(kind)
