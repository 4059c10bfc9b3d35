"""From what a person filled in to the exact conf of a run; each wrong value names its field."""

import re
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.gke.parameters import GkeParameters
from contracts.run_conf import SELECTOR_PATTERN, DbtCommand, RunConf
from models.project import Project
from services.errors import InvalidInput
from services.operators import operator
from services.refusals import sentence

_SELECTOR = re.compile(SELECTOR_PATTERN)


class LaunchRequest(BaseModel):
    """What the launch form holds. Vars and macro arguments are YAML text, as dbt takes them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: DbtCommand = DbtCommand.BUILD
    select: list[str] = Field(default_factory=list)
    exclude: list[str] = Field(default_factory=list)
    full_refresh: bool = False
    vars: str = ""
    target: str | None = None
    threads: int | None = None
    macro: str | None = None
    macro_arguments: str = ""
    operator_parameters: dict[str, Any] = Field(default_factory=dict)
    """What differs from the project's own parameters, for this run."""


def build_conf(project: Project, request: LaunchRequest, *, by: str | None) -> RunConf:
    """The conf that Airflow gets. Raises InvalidInput with the field."""
    if request.target and project.targets and request.target not in project.targets:
        known = ", ".join(project.targets)
        raise InvalidInput(f"'{request.target}' is not a target of this project ({known}).", field="target")
    if request.command is DbtCommand.RUN_OPERATION and not request.macro:
        raise InvalidInput("run-operation needs the name of a macro.", field="macro")
    values = {
        "command": request.command,
        "select": _selectors(request.select, "select"),
        "exclude": _selectors(request.exclude, "exclude"),
        "full_refresh": request.full_refresh,
        "vars": _mapping(request.vars, "vars"),
        "target": request.target or project.target,
        "threads": request.threads or (project.threads if request.command.takes_threads else None),
        "macro": request.macro or None,
        "macro_arguments": _mapping(request.macro_arguments, "macro_arguments"),
        "operator": project.operator,
        "operator_parameters": _parameters(project, request.operator_parameters),
        "requested_by": by,
    }
    try:
        return RunConf.model_validate(values)
    except ValidationError as error:
        raise _as_invalid_input(error) from error


def _selectors(given: list[str], field: str) -> list[str]:
    words = [word for line in given for word in line.split()]
    for word in words:
        if not _SELECTOR.match(word):
            raise InvalidInput(
                f"'{word}' is not a dbt selector.",
                field=field,
                hint="Examples: stg_orders+  tag:nightly  path:models/marts  stg_orders,tag:nightly",
            )
    return words


def _mapping(text: str, field: str) -> dict[str, Any]:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" in line {mark.line + 1}" if mark else ""
        raise InvalidInput(
            f"This is not YAML: {getattr(error, 'problem', None) or 'it cannot be read'}{place}.", field=field
        ) from error
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise InvalidInput("Write names and values, for example `start_date: 2026-01-01`.", field=field)
    return {key: _plain(part) for key, part in value.items()}


def _plain(value: Any) -> Any:
    """YAML's dates as the text that dbt would see; everything else as it is."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(part) for part in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _parameters(project: Project, overrides: dict[str, Any]) -> dict[str, Any]:
    """Only what differs from the operator's defaults, after the whole was checked."""
    chosen = operator(project.operator)
    merged = {**project.operator_parameters, **overrides}
    try:
        found = chosen.parameters.model_validate(merged)
    except ValidationError as error:
        raise _as_invalid_input(error, prefix="operator_parameters.") from error
    _keeps_the_kind_of_cluster(project, found)
    return merged


def _keeps_the_kind_of_cluster(project: Project, found: BaseModel) -> None:
    if not isinstance(found, GkeParameters) or not found.is_ephemeral:
        return
    usual = GkeParameters.model_validate(project.operator_parameters)
    if usual.is_ephemeral and usual.makes_autopilot is not found.makes_autopilot:
        raise InvalidInput(
            "Whether the cluster is Autopilot or Standard is the project's choice: its DAG is made for one of them.",
            field="operator_parameters.new_cluster",
        )


def _as_invalid_input(error: ValidationError, *, prefix: str = "") -> InvalidInput:
    first = error.errors(include_url=False, include_input=False)[0]
    where = [str(part) for part in first["loc"]]
    return InvalidInput(sentence(first, where), field=prefix + (where[0] if where else _field_of_rule(first["msg"])))


def _field_of_rule(message: str) -> str:
    """The field that a rule over several fields is about, so that its message stands beside one."""
    for words, field in (
        ("secret", "vars"),
        ("selection", "select"),
        ("full refresh", "full_refresh"),
        ("threads", "threads"),
        ("arguments", "macro_arguments"),
        ("macro", "macro"),
    ):
        if words in message:
            return field
    return "command"
