"""A table of runs: each row opens its run and has a menu of orders, several can be chosen.

A component of our own: a real table with real links, in a tenth of what Streamlit's grid makes the browser load.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from os.path import commonprefix
from pathlib import Path
from typing import Any

import streamlit as st

from models.run import Run
from models.run_state import RunState
from models.types import now
from services.errors import ConfigurationError
from services.operators import operator
from services.runs import figures, history
from services.runs import orders as runs_service
from services.ui.components import SHARED, component
from services.ui.links import show_link
from services.ui.run.run_actions import confirm_cancel, run_again
from services.ui.words import TRIGGER_WORDS, between, short

ORDERS = {
    "open": "Open",
    "retry": "Retry from failure",
    "again": "Run again",
    "change": "Change and launch",
    "cancel": "Cancel",
    "link": "Copy link",
}
"""What the menu of a row says."""

_HERE = Path(__file__).parent
SCRIPT, STYLE = _HERE / "run_table.js", _HERE / "run_table.css"
_BESIDE_THE_POINT = re.compile(r" --(target|threads) \S+")
_STATES = list(RunState)


@cache
def _component() -> Any:
    return component("run_table", css=[STYLE], scripts=(SHARED, SCRIPT), draws="runTable")


def run_table(runs: Sequence[Run], *, key: str) -> None:
    """Draw the runs, one a row, with a menu of what can be done with each; chosen rows can be cancelled together."""
    click = _component()(data=rows_of(runs), key=key, on_clicked_change=lambda: None).clicked
    if click:
        carry_out(click["what"], [int(number) for number in click["runs"]])


def rows_of(runs: Sequence[Run]) -> dict[str, Any]:
    """What the table draws."""
    usual = _usual_durations(frozenset((run.project, run.command) for run in runs))
    links = [_airflow_link(run) for run in runs]
    airflow = commonprefix([link for link in links if link])  # noqa: RUF071  any will do: sent once, the rest by row
    rows = [
        {**_row(run, usual.get((run.project, run.command))), "airflow": link.removeprefix(airflow) if link else None}
        for run, link in zip(runs, links, strict=True)
    ]
    return {
        "now": now().timestamp(),
        "states": [[each.style.word, each.style.glyph, each.style.colour] for each in _STATES],
        "orders": ORDERS,
        "airflow": airflow,
        "columns": {name: _in_few([row[name] for row in rows]) for name in (rows[0] if rows else ())},
    }


@st.cache_data(ttl="60s", max_entries=200, show_spinner=False)
def _usual_durations(kinds: frozenset[tuple[str, str]]) -> dict[tuple[str, str], float]:
    return figures.usual_durations(set(kinds))


def carry_out(order: str, ids: Sequence[int]) -> None:
    """Do what was clicked, here, where a dialog or another page can open."""
    if order == "compare":
        st.switch_page("pages/compare.py", query_params={"runs": "-".join(map(str, ids))})
    elif order == "cancel":
        confirm_cancel(*(history.get_run(number) for number in ids))
    elif order == "change":
        st.switch_page("pages/launch.py", query_params={"from_run": str(ids[0])})
    elif order in ("retry", "again"):
        run_again(history.get_run(ids[0]), only_unfinished=order == "retry")
    elif order == "link":
        show_link(f"Link to run {ids[0]}", "run", {"run_id": str(ids[0])})
    else:
        st.switch_page("pages/run.py", query_params={"run_id": str(ids[0])})


def _row(run: Run, usual: float | None) -> dict[str, Any]:
    """A run as the table has room for; moments in seconds, for the browser counts on while a run lives."""
    seconds = between(run.started_at, run.finished_at)
    return {
        "id": run.id,
        "state": _STATES.index(run.state),
        "message": short(run.message, most=120),
        "project": run.project,
        "command": _in_short(run.command),
        "whole": run.command if _in_short(run.command) != run.command else "",
        "nodes": _nodes(run),
        "created": _seconds(run.created_at),
        "started": _seconds(run.started_at),
        "ended": _seconds(run.finished_at),
        "times": None if not usual or seconds is None else round(seconds / usual, 1),
        "slow": bool(usual and seconds and figures.is_slow(seconds, usual)),
        "by": run.launched_by or "",
        "how": TRIGGER_WORDS[run.trigger],
        "operator": operator(run.operator).label,
        "target": run.target or "",
        "commit": (run.git_sha or "")[:8],
        "orders": _orders(run),
    }


def _in_few(values: list[Any]) -> list[list[Any]]:
    """A column as its different values and the place of each row's among them; values alone where all differ."""
    different = [value for place, value in enumerate(values) if value not in values[:place]]
    places = [different.index(value) for value in values]
    return [different] if len(different) == len(values) else [different, places]


def _seconds(moment: datetime | None) -> float | None:
    return round(moment.timestamp(), 1) if moment else None


def _orders(run: Run) -> list[str]:
    """What this run's menu has besides what every run's has."""
    if not run.state.is_terminal:
        return ["change", *([] if run.cancel_requested_at else ["cancel"])]
    retry = ["retry"] if run.state in (RunState.FAILED, RunState.CANCELLED) else []
    return [*retry, "again", "change"]


def _airflow_link(run: Run) -> str | None:
    """The run in Airflow's own pages; none while Airflow has not confirmed that it has the run."""
    with suppress(ConfigurationError):
        return runs_service.airflow_link(run) if run.handed_over_at else None
    return None


def _in_short(command: str) -> str:
    """The command as a table has room for: the target has a column, and how many threads is no news."""
    return _BESIDE_THE_POINT.sub("", command).replace(" --select ", " ")


def _nodes(run: Run) -> list[int] | None:
    """How many nodes are ok, warned, failed, were skipped, and how many there are in all."""
    counts = (run.nodes_ok, run.nodes_warn, run.nodes_error, run.nodes_skipped)
    return [*(number or 0 for number in counts), run.nodes_total] if run.nodes_total else None
