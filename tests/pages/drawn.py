"""What our own components were given to draw: AppTest sees their mounts, not what their scripts make of them."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def data_of(page: AppTest, component: str) -> Any:
    """The data of the first component of this name."""
    mounts = [each.proto for each in page.get("bidi_component")]
    return next(json.loads(each.json) for each in mounts if each.component_name == f"pilothouse_{component}")


def table_of(page: AppTest) -> Any:
    """What the table of runs draws: the history's, or the first one elsewhere."""
    names = {each.proto.component_name for each in page.get("bidi_component")}
    if "pilothouse_run_history" in names:
        return data_of(page, "run_history")["list"]["table"]
    return data_of(page, "run_table")


def filters_of(page: AppTest) -> Any:
    """The filters that the history offers."""
    return data_of(page, "run_history")["filters"]


def as_query(filters: dict[str, Any]) -> dict[str, Any]:
    """Filters as a link to the history has them."""
    return {key: value[0] if isinstance(value, list) and len(value) == 1 else value for key, value in filters.items()}


def rows(page: AppTest) -> list[dict[str, Any]]:
    """The rows of the first table of runs."""
    columns = table_of(page)["columns"]
    whole = {name: [told[0][place] for place in told[1]] if told[1:] else told[0] for name, told in columns.items()}
    return [dict(zip(whole, row, strict=True)) for row in zip(*whole.values(), strict=True)]


def states(page: AppTest) -> list[str]:
    """The words for the states of these rows."""
    known = table_of(page)["states"]
    return [known[row["state"]][0] for row in rows(page)]


def figures(page: AppTest) -> dict[str, str]:
    """The figures above the history, by their labels."""
    told = data_of(page, "run_history")["figures"]["figures"]
    return {each["label"]: each["value"] for each in told}
