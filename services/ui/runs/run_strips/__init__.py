"""Each project's last runs as a strip of small bars: height is duration, colour and mark are the state.

A Streamlit component (v2), because each bar is a link: a click opens the run, a middle click in a tab of its own.
"""

from collections.abc import Callable, Mapping, Sequence
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


@cache
def _component() -> Any:
    return component(
        "run_strips", html="<ul></ul>", css=_HERE / "run_strips.css", scripts=(SHARED, _HERE / "run_strips.js")
    )


def run_strips(
    last: Mapping[str, Sequence[Run]],
    *,
    key: str,
    on_project: Callable[[str], None] | None = None,
    can_launch: bool = False,
) -> None:
    """Draw a strip for each project, its runs given newest first. A bar opens its run, a name its project, unless
    `on_project` says what else it does.
    """

    def clicked() -> None:
        click = st.session_state[key].clicked
        if click and click["what"] == "project" and on_project:
            on_project(click["which"])

    answer = _component()(
        data={
            "projects": [_project(name, runs) for name, runs in last.items()],
            "states": [[each.style.word, each.style.glyph, each.style.colour] for each in _STATES],
            "launch": can_launch,
        },
        key=key,
        on_clicked_change=clicked,
    )
    if answer.clicked:
        _follow(answer.clicked["what"], answer.clicked["which"], stay=on_project is not None)


def _follow(what: str, which: str, *, stay: bool) -> None:
    if what == "run":
        st.switch_page("pages/run.py", query_params={"run_id": which})
    if what == "launch":
        st.switch_page("pages/launch.py", query_params={"project": which})
    if not stay:
        st.switch_page("pages/project.py", query_params={"name": which})


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
