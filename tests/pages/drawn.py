"""What our own components were given to draw: AppTest sees their mounts, not what their scripts make of them."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def data_of(page: AppTest, component: str) -> Any:
    """The data of the first component of this name."""
    mounts = [each.proto for each in page.get("bidi_component")]
    return next(json.loads(each.json) for each in mounts if each.component_name == f"pilothouse_{component}")


def rows(page: AppTest) -> list[dict[str, Any]]:
    """The rows of the first table of runs."""
    columns = data_of(page, "run_table")["columns"]
    whole = {name: [told[0][place] for place in told[1]] if told[1:] else told[0] for name, told in columns.items()}
    return [dict(zip(whole, row, strict=True)) for row in zip(*whole.values(), strict=True)]


def states(page: AppTest) -> list[str]:
    """The words for the states of these rows."""
    known = data_of(page, "run_table")["states"]
    return [known[row["state"]][0] for row in rows(page)]


def figures(page: AppTest) -> dict[str, str]:
    """The figures above the history, by their labels."""
    return {each["label"]: each["value"] for each in data_of(page, "run_figures")["figures"]}
