"""Why a value was refused, in words that stand beside its field: from pydantic's errors, for every form."""

from collections.abc import Sequence

from pydantic_core import ErrorDetails

_NAMES_AND_VALUES = "Give names and values in YAML, as the help shows."
_WORDS = {
    "int_type": "Give a whole number.",
    "int_parsing": "Give a whole number.",
    "extra_forbidden": "This is not known here.",
    "missing": "This is missing.",
    "list_type": "Give a YAML list, as the help shows: each entry on a line that begins with a dash.",
    "dict_type": _NAMES_AND_VALUES,
    "model_type": _NAMES_AND_VALUES,
    "model_attributes_type": _NAMES_AND_VALUES,
}


def sentence(problem: ErrorDetails, where: Sequence[str] = ()) -> str:
    """One reason. `where` is its place, beginning with the field; what lies deeper than the field is named."""
    inner = ".".join(where[1:])
    return f"{inner}: {_words(problem)}" if inner else _words(problem)


def _words(problem: ErrorDetails) -> str:
    kind, limits = problem["type"], problem.get("ctx", {})
    if kind == "greater_than_equal":
        return f"At least {limits['ge']:,}."
    if kind == "less_than_equal":
        return f"At most {limits['le']:,}."
    return _WORDS.get(kind) or f"{problem['msg'].removeprefix('Value error, ')}."
