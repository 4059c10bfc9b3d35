"""Each project's last runs as a strip of small bars: height is duration, colour and mark are the state.

A Streamlit component (v2), because each bar is a link: a click opens the run, a middle click in a tab of its own.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from models.run import Run
from models.run_state import RunState
from models.types import now
from services.ui.components import SHARED, component
from services.ui.words import ago, between

_HERE = Path(__file__).parent


SCRIPT, STYLE = _HERE / "run_strips.js", _HERE / "run_strips.css"


@cache
def _component() -> Any:
    return component("run_strips", css=[STYLE], scripts=(SHARED, SCRIPT), draws="runStrips")


def run_strips(last: Mapping[str, Sequence[Run]], *, key: str) -> None:
    """Draw a strip for each project: a bar opens its run, a name its project, and each can be launched."""
    click = _component()(data=strips(last, can_launch=True), key=key, on_clicked_change=lambda: None).clicked
    if click:
        follow(click["what"], click["which"])


def follow(what: str, which: str) -> None:
    """Open what was clicked."""
    if what == "run":
        st.switch_page("pages/run.py", query_params={"run_id": which})
    if what == "launch":
        st.switch_page("pages/launch.py", query_params={"project": which})
    st.switch_page("pages/project.py", query_params={"name": which})


def strips(last: Mapping[str, Sequence[Run]], *, can_launch: bool = False) -> dict[str, Any]:
    """A strip for each project, its runs given newest first; where nothing can be launched, a name filters the runs."""
    return {
        "projects": [_project(name, runs) for name, runs in last.items()],
        "states": [[each.style.word, each.style.glyph, each.style.colour] for each in _STATES],
        "launch": can_launch,
    }


_STATES = list(RunState)


def _project(name: str, runs: Sequence[Run]) -> dict[str, Any]:
    return {"name": name, "said": _said(runs), "runs": [_bar(run) for run in reversed(runs)]}


def _bar(run: Run) -> list[Any]:
    """Number, place of the state among all, seconds, minutes of age: short, for a page has hundreds of them."""
    seconds = between(run.started_at, run.finished_at)
    age = round((now() - run.created_at).total_seconds() / 60)
    return [run.id, _STATES.index(run.state), None if seconds is None else round(seconds), age]


def _said(runs: Sequence[Run]) -> str:
    """How it stands with a project, in a few words."""
    if not runs:
        return "never ran"
    judged = [run.state for run in runs if run.state in (RunState.SUCCEEDED, RunState.FAILED)]
    in_a_row = next((place for place, state in enumerate(judged) if state is not RunState.FAILED), len(judged))
    if in_a_row:
        return "last failed" if in_a_row == 1 else f"{in_a_row}{'+' if in_a_row == len(judged) else ''} failed in a row"
    return ago(runs[0].created_at)
