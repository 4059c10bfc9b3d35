"""Presets: named sets of an operator's parameters, saved by anybody, applied to any project or launch.

A preset holds some parameters and leaves the others alone. It is checked when it is saved, and again when it is
applied: the rules may be another version's by then, and its values have to fit those that they come among.
"""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlmodel import Session, col, select

from contracts.operators import OperatorName
from models.preset import Preset
from models.types import now
from services.database import session
from services.errors import InvalidInput, NotFound
from services.operators import operator
from services.refusals import sentence

_LONGEST_NAME = 60


def presets(of: OperatorName) -> list[Preset]:
    """An operator's presets by name."""
    with session() as opened:
        return list(opened.exec(select(Preset).where(Preset.operator == of).order_by(col(Preset.name))))


def save_preset(of: OperatorName, name: str, values: Mapping[str, Any], *, names: Collection[str], by: str) -> Preset:
    """Keep the parameters `names` out of a form's values. A preset of this name is replaced. Raises InvalidInput."""
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidInput(f"Give it a name of at most {_LONGEST_NAME} characters.", field="name")
    if not names:
        raise InvalidInput("Choose at least one parameter that the preset is to set.", field="names")
    parameters = _checked(operator(of).parameters, values, names)
    with session() as opened:
        preset = _find(opened, of, name) or Preset(operator=of, name=name, saved_by=by)
        preset.parameters, preset.saved_by, preset.saved_at = parameters, by, now()
        opened.add(preset)
    return preset


def applied(
    of: OperatorName, name: str, values: Mapping[str, Any], *, without: Collection[str] = ()
) -> tuple[dict[str, Any], list[str]]:
    """A form's values with a preset's over them, and the names that were set; `without` names what may not change here.

    Raises NotFound, and InvalidInput when the preset no longer fits the rules or these values.
    """
    with session() as opened:
        preset = _find(opened, of, name)
    if preset is None:
        raise NotFound(f"There is no preset '{name}' any more.")
    own = {key: value for key, value in preset.parameters.items() if key not in without}
    model, together = operator(of).parameters, {**values, **own}
    known = _problems(model, values)
    for field, said in _problems(model, together).items():
        if field in own or known.get(field) != said:
            raise _refusal(model, field, said)
    return together, list(own)


def delete_preset(of: OperatorName, name: str) -> None:
    """Remove a preset; what it was applied to keeps its values. Repeatable."""
    with session() as opened:
        if preset := _find(opened, of, name):
            opened.delete(preset)


def _find(opened: Session, of: OperatorName, name: str) -> Preset | None:
    return opened.exec(select(Preset).where(Preset.operator == of, Preset.name == name)).one_or_none()


def _checked(model: type[BaseModel], values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The parameters `names` as they are stored. What is wrong with the others is not the preset's matter."""
    problems = _problems(model, values)
    for field, said in problems.items():
        if field in names or not field:
            raise _refusal(model, field, said)
    right = {name: value for name, value in values.items() if name not in problems}
    if _problems(model, right):
        raise InvalidInput("Mend the other parameters of this form first.", field=next(iter(problems)))
    stored = model.model_validate(right).model_dump(mode="json")
    return {name: stored[name] for name in names}


def _refusal(model: type[BaseModel], field: str, said: str) -> InvalidInput:
    title = model.model_fields[field].title if field in model.model_fields else field
    return InvalidInput(f"{title or 'The parameters'}: {said}", field=field)


def _problems(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong, by parameter; a rule over several has no name."""
    try:
        model.model_validate(dict(values))
    except ValidationError as refusal:
        found: dict[str, str] = {}
        for problem in refusal.errors():
            where = [str(part) for part in problem["loc"]]
            found.setdefault(where[0] if where else "", sentence(problem, where))
        return found
    return {}
