"""An operator's parameters as form fields, drawn from their contract: numbers, texts, choices, YAML for the rest."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from itertools import groupby
from typing import Any

import streamlit as st
import yaml
from pydantic import BaseModel

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
        for row in _rows(list(fields)):
            for column, (name, field) in zip(st.columns(_COLUMNS), row, strict=False):
                with column, place(name):
                    drawn[name] = _draw(field, values.get(name, field.get("default")), key(name))
    return drawn


def _rows(fields: list[tuple[str, dict[str, Any]]]) -> list[list[tuple[str, dict[str, Any]]]]:
    return [fields[start : start + _COLUMNS] for start in range(0, len(fields), _COLUMNS)]


def _typed(value: Any) -> Any:
    """A stored value as its field holds it: lists and mappings are YAML text."""
    if isinstance(value, list | dict):
        return yaml.safe_dump(value, sort_keys=False) if value else ""
    return value


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
