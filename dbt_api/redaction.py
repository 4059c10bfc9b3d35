"""Which values of a request are secret, by their names; and the same request with those values hidden.

dbt itself hides the values of DBT_ENV_SECRET_* variables in its log, and nothing else: vars stand there in clear.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import yaml

from dbt_api.errors import ApiError
from dbt_api.settings import settings

HIDDEN = "*****"
"""dbt's own mark for a hidden value."""
VALUE_OPTIONS = ("--vars", "--args")
SECRET_VARIABLE = re.compile(r"^DBT_(ENV|ENGINE)_SECRET")
SCRUBBED_FROM_CHARACTERS = 6
"""Shorter values are not looked for in dbt's output: hiding every "1" would spoil it."""


@dataclass(frozen=True)
class Plain:
    """What dbt gets: its words and the client's environment variables."""

    command: list[str]
    env: dict[str, str]


def redacted(plain: Plain) -> Plain:
    """The same with secret values hidden."""
    env = {name: HIDDEN if _is_secret(name) else value for name, value in plain.env.items()}
    return Plain(_with_values(plain.command, _hidden), env)


def secrets_in(plain: Plain) -> list[str]:
    """The values that `redacted` hides and that are long enough to be looked for, longest first."""
    found = [value for name, value in plain.env.items() if _is_secret(name)]

    def collect(values: Any) -> Any:
        found.extend(str(each) for each in _secret_leaves(values))
        return values

    _with_values(plain.command, collect)
    return sorted(
        {each for each in found if len(each) >= SCRUBBED_FROM_CHARACTERS and "\0" not in each}, key=len, reverse=True
    )


def _is_secret(name: str) -> bool:
    hidden = any(fnmatchcase(name.lower(), pattern.lower()) for pattern in settings().secret_names)
    return hidden or SECRET_VARIABLE.match(name) is not None


def _with_values(words: list[str], change: Callable[[Any], Any]) -> list[str]:
    """The words with the values of --vars and --args changed; a value that is left as it was keeps its form."""
    changed, before = [], ""
    for word in words:
        name, equals, value = word.partition("=")
        if before in VALUE_OPTIONS:
            changed.append(_changed(word, change))
        elif name in VALUE_OPTIONS and equals:
            changed.append(f"{name}={_changed(value, change)}")
        else:
            changed.append(word)
        before = word
    return changed


def _changed(text: str, change: Callable[[Any], Any]) -> str:
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise ApiError(422, "Vars and args must not use YAML aliases.")
        values = yaml.safe_load(text)  # dbt reads it as YAML
    except (yaml.YAMLError, ValueError, RecursionError):
        return text
    new = change(values)
    return text if new == values else json.dumps(new, default=str)


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: HIDDEN if _is_secret(str(name)) else _hidden(each) for name, each in value.items()}
    return [_hidden(each) for each in value] if isinstance(value, list) else value


def _secret_leaves(value: Any, *, secret: bool = False) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _secret_leaves(each, secret=secret or _is_secret(str(name)))
    elif isinstance(value, list):
        for each in value:
            yield from _secret_leaves(each, secret=secret)
    elif secret and value is not None:
        yield value
