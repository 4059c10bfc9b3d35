"""Work that dbt does anew in every command though it comes out the same: what a zygote has done, its children need not.

Each of these remembers the outcome of a pure function by all of its arguments. tests/unit/dbt_api/test_once.py compares
the outcomes with dbt's own.
"""

import inspect
import os
from collections.abc import Callable
from functools import cache
from types import CodeType
from typing import Any

import parsedatetime  # type: ignore[import-untyped]
from dbt_common.clients.jinja import MacroFuzzEnvironment
from dbt_common.dataclass_schema import dbtClassMixin

REMEMBERED = 20_000
OWN_PATHS = ("DBT_TARGET_PATH", "DBT_LOG_PATH")
"""They differ in every invocation, and whether a project is valid does not depend on which they are."""


def takes(function: Callable[..., Any], *names: str) -> bool:
    """Whether a function has just these parameters."""
    return list(inspect.signature(function).parameters) == list(names)


def compile_templates_once() -> None:
    """Jinja's compiled templates, of which dbt keeps the macros only: the query comment, profiles, projects, models."""
    environment: Any = MacroFuzzEnvironment
    if not takes(environment.compile, "self", "source", "name", "filename", "raw", "defer_init"):
        return
    compile_anew = environment.compile
    compiled: dict[tuple[type, str], CodeType] = {}

    def compile_once(self: Any, source: Any, *options: Any, **more: Any) -> Any:
        if options or more or not isinstance(source, str):
            return compile_anew(self, source, *options, **more)
        key = type(self), source
        made = compiled.get(key) or compile_anew(self, source)
        if len(compiled) < REMEMBERED:
            compiled[key] = made
        return made

    environment.compile = compile_once


def validate_once() -> None:
    """Checks of projects, profiles and packages against their JSON schemas: what was valid is valid."""
    mixin: Any = dbtClassMixin
    if not takes(mixin.validate, "data"):
        return
    validate_anew = mixin.validate.__func__
    valid: set[tuple[type, str]] = set()

    def validate(cls: type, data: Any) -> None:
        key = cls, _without_own_paths(repr(data))
        if key not in valid:
            validate_anew(cls, data)
            if len(valid) < REMEMBERED:
                valid.add(key)

    mixin.validate = classmethod(validate)


def _without_own_paths(text: str) -> str:
    for name in OWN_PATHS:
        if path := os.environ.get(name):
            text = text.replace(path, f"\0{name}")  # no `repr` holds a NUL
    return text


def learn_dates_once() -> None:
    """How dates are written in a language: agate makes that anew for each kind of column of each query's result."""
    module: Any = parsedatetime
    if takes(module.Constants, "localeID", "usePyICU", "fallbackLocales"):
        module.Constants = cache(module.Constants)
