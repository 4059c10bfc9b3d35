"""A table of runs: each row opens its run and has a menu of orders, several can be chosen."""

import re
from collections.abc import Sequence
from contextlib import suppress

import pandas as pd
import streamlit as st

from models.run import Run
from models.run_state import NodeStatus, RunState
from services.errors import ConfigurationError
from services.operators import operator
from services.runs import figures, history
from services.runs import orders as runs_service
from services.ui.links import show_link
from services.ui.run.run_actions import confirm_cancel, run_again
from services.ui.words import TRIGGER_WORDS, between, count, duration

RETRY, AGAIN, CHANGE, CANCEL, LINK = (
    ":material/replay: Retry from failure",
    ":material/play_arrow: Run again",
    ":material/tune: Change and launch",
    ":material/cancel: Cancel",
    ":material/link: Copy link",
)

_BESIDE_THE_POINT = re.compile(r" --(target|threads) \S+")


def run_table(runs: Sequence[Run], *, key: str) -> None:
    """Draw the runs, one a row, with a menu of what can be done with each; chosen rows can be cancelled together."""
    styles = [state.style for state in RunState]
    above = st.container()
    selected = st.dataframe(
        _frame(runs),
        key=key,
        hide_index=True,
        height="content",
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "Run": st.column_config.ButtonColumn(
                width=80,
                key=f"{key}_open",
                on_click=_note_click,
                args=(f"{key}_open", [run.id for run in runs]),
                help="Opens the run",
            ),
            "Do": st.column_config.ButtonColumn(
                width=48,
                key=f"{key}_do",
                on_click=_note_click,
                args=(f"{key}_do", [run.id for run in runs]),
                help="What can be done with the run",
            ),
            "Airflow": st.column_config.LinkColumn(
                width=58, display_text=":material/open_in_new:", help="Opens the run in Airflow"
            ),
            "State": st.column_config.MultiselectColumn(
                options=[style.label for style in styles], color=[style.colour for style in styles], width=100
            ),
            "Project": st.column_config.TextColumn(width=95),
            "Command": st.column_config.TextColumn(width=135, help="Without target and threads"),
            "Nodes": st.column_config.TextColumn(width=120, help="✔ ok, ▲ warned, ✖ failed, » skipped; of all"),
            "Created": st.column_config.DatetimeColumn(format="distance", width=100),
            "Queued for": st.column_config.TextColumn(width=78),
            "Ran for": st.column_config.TextColumn(width=75),
            "Against usual": st.column_config.TextColumn(
                width=100, help="Against the median of successful runs with the same project and command"
            ),
            "Launched by": st.column_config.TextColumn(width=85),
        },
        alt="Runs: those that live, then the newest",
    )
    _act()
    with above:
        _draw_selection([runs[row] for row in selected.selection.rows if row < len(runs)])


def _note_click(click_key: str, ids: list[int]) -> None:
    """Remember the click; it is acted on while the page draws, where a dialog or another page can open."""
    click = st.session_state[click_key]
    if click is not None:
        st.session_state["run_click"] = (ids[click["row"]], click["label"])


def _act() -> None:
    run_id, label = st.session_state.pop("run_click", (None, None))
    if run_id is None:
        return
    if label == CHANGE:
        st.switch_page("pages/launch.py", query_params={"from_run": str(run_id)})
    if label in (RETRY, AGAIN):
        run_again(history.get_run(run_id), only_unfinished=label == RETRY)
    elif label == CANCEL:
        confirm_cancel(history.get_run(run_id))
    elif label == LINK:
        show_link(f"Link to run {run_id}", "run", {"run_id": str(run_id)})
    else:
        st.switch_page("pages/run.py", query_params={"run_id": str(run_id)})


def _draw_selection(chosen: Sequence[Run]) -> None:
    if not chosen:
        return
    live = [run for run in chosen if not run.state.is_terminal and run.cancel_requested_at is None]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{count(len(chosen), 'run')} chosen", width="content")
        if st.button(
            f"Cancel {count(len(live), 'run')}" if live else "Cancel",
            icon=":material/cancel:",
            disabled=not live,
            help=None if live else "None of the chosen runs can be cancelled: they are over, or being cancelled.",
        ):
            confirm_cancel(*live)
        two = len(chosen) == 2
        hint = None if two else "Choose two runs to compare them."
        if st.button("Compare", icon=":material/compare_arrows:", disabled=not two, help=hint):
            st.switch_page("pages/compare.py", query_params={"runs": f"{chosen[0].id}-{chosen[1].id}"})


def _doings(run: Run) -> list[str]:
    if not run.state.is_terminal:
        return [CHANGE, LINK] if run.cancel_requested_at else [CHANGE, CANCEL, LINK]
    retry = [RETRY] if run.state in (RunState.FAILED, RunState.CANCELLED) else []
    return [*retry, AGAIN, CHANGE, LINK]


def _frame(runs: Sequence[Run]) -> pd.DataFrame:
    usual = figures.usual_durations({(run.project, run.command) for run in runs})
    return pd.DataFrame(
        {
            "Run": [f"Open {run.id}" for run in runs],
            "Do": [_doings(run) for run in runs],
            "Airflow": [_airflow_link(run) for run in runs],
            "State": [[run.state.style.label] for run in runs],
            "Project": [run.project for run in runs],
            "Command": [_short(run.command) for run in runs],
            "Nodes": [_nodes(run) for run in runs],
            "Created": pd.to_datetime([run.created_at for run in runs], utc=True),
            "Queued for": [duration(between(run.created_at, run.started_at or run.finished_at)) for run in runs],
            "Ran for": [duration(between(run.started_at, run.finished_at)) for run in runs],
            "Against usual": [_against(run, usual.get((run.project, run.command))) for run in runs],
            "Launched by": [run.launched_by or "" for run in runs],
            "How": [TRIGGER_WORDS[run.trigger] for run in runs],
            "Operator": [operator(run.operator).label for run in runs],
            "Target": [run.target or "" for run in runs],
            "Commit": [(run.git_sha or "")[:8] for run in runs],
        }
    )


def _airflow_link(run: Run) -> str | None:
    """The run in Airflow's own pages; none while Airflow has not confirmed that it has the run."""
    with suppress(ConfigurationError):
        return runs_service.airflow_link(run) if run.handed_over_at else None
    return None


def _against(run: Run, usual: float | None) -> str:
    seconds = between(run.started_at, run.finished_at)
    if not usual or seconds is None:
        return ""
    return f"{'▲ ' if figures.is_slow(seconds, usual) else ''}{seconds / usual:.1f} ×"


def _short(command: str) -> str:
    """The command as a table has room for: the target has a column, and how many threads is no news."""
    return _BESIDE_THE_POINT.sub("", command).replace(" --select ", " ")


def _nodes(run: Run) -> str:
    """How the nodes fared, in the marks of their statuses."""
    if not run.nodes_total:
        return ""
    counts = (
        (NodeStatus.SUCCESS, run.nodes_ok),
        (NodeStatus.WARN, run.nodes_warn),
        (NodeStatus.ERROR, run.nodes_error),
        (NodeStatus.SKIPPED, run.nodes_skipped),
    )
    parts = [f"{status.style.glyph} {number:,}" for status, number in counts if number]
    return " ".join([*parts, f"of {run.nodes_total:,}"])
