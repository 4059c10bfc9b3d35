"""An operator's parameters as form fields, drawn from their contract: numbers, texts, choices, YAML for the rest."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import groupby
from typing import Any

import streamlit as st
import yaml
from pydantic import BaseModel
from streamlit.delta_generator import DeltaGenerator

_COLUMNS = 3
_YAML_KINDS = ("array", "object")


def parameter_fields(
    model: type[BaseModel],
    values: Mapping[str, Any],
    *,
    key: Callable[[str], str],
    place: Callable[[str], AbstractContextManager[Any]] = lambda _: nullcontext(),
    skip: Collection[str] = (),
) -> dict[str, Any]:
    """Draw a field for each parameter, by sections, and return what they hold, unchecked.

    YAML that cannot be read comes back as the text that it is, which the contract then refuses.
    """
    schema = model.model_json_schema()
    told = [(name, _resolved(each, schema)) for name, each in schema["properties"].items() if name not in skip]
    drawn: dict[str, Any] = {}
    for section, fields in groupby(told, key=lambda each: each[1].get("section", "")):
        if section:
            st.markdown(f"**{section}**")
        columns = _columns()
        for name, field in fields:
            value = values.get(name, field.get("default"))
            if not _is_asked(field, {**values, **drawn}):
                if value is not None:  # what nobody has said is the contract's to decide
                    drawn[name] = value
                continue
            with next(columns), place(name):
                drawn[name] = _draw(field, value, key(name))
    return drawn


def _columns() -> Iterator[DeltaGenerator]:
    """Places for fields, row after row."""
    while True:
        yield from st.columns(_COLUMNS)


def _is_asked(field: Mapping[str, Any], drawn: Mapping[str, Any]) -> bool:
    """Whether what was chosen before it leaves room for this field (`when` in its contract)."""
    return all(drawn.get(name) == value for name, value in (field.get("when") or {}).items())


def _typed(value: Any) -> Any:
    """A stored value as its field holds it: lists and mappings are YAML text."""
    if isinstance(value, list | dict):
        return yaml.safe_dump(_said(value), sort_keys=False) if value else ""
    return value


def _said(value: Any) -> Any:
    """Without the options of list entries that were left open."""
    if isinstance(value, dict):
        return {name: _said(each) for name, each in value.items() if each is not None}
    return [_said(each) for each in value] if isinstance(value, list) else value


def _resolved(field: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """One property of a JSON schema with its reference followed and its `or null` taken apart."""
    found = dict(field)
    for option in field.get("anyOf") or []:
        if option.get("type") == "null":
            found["is_optional"] = True
        else:
            found = {**option, **found}
    if reference := found.pop("$ref", None):
        found = {**schema["$defs"][reference.rpartition("/")[2]], **found}
    return found


def _draw(field: Mapping[str, Any], value: Any, key: str) -> Any:
    label, told = str(field.get("title", key)), field.get("description")
    if "enum" in field:
        options = list(field["enum"])
        return st.selectbox(label, options, index=options.index(value), key=key, help=told)
    if field.get("type") == "boolean":
        return st.checkbox(label, bool(value), key=key, help=told)
    if field.get("type") == "integer":
        number = st.number_input(
            label, value=None if value is None else int(value), step=1, key=key, help=told, placeholder="none"
        )
        return None if number is None else int(number)
    if field.get("type") in _YAML_KINDS:
        text = st.text_area(label, str(_typed(value) or ""), key=key, help=told, height=90, placeholder="YAML")
        return _read(text or "", empty=[] if field["type"] == "array" else {})
    text = st.text_input(label, "" if value is None else str(value), key=key, help=told)
    return None if field.get("is_optional") and not text else text


def _read(text: str, *, empty: Any) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return empty if value is None else value
