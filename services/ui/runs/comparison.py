"""Two runs side by side, as the compare page shows them."""

from collections import Counter
from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from models.run import NodeResult, Run
from models.run_state import NodeStatus
from services.runs.comparing import Comparison, NodePair
from services.ui.badges import badge
from services.ui.run.run_changes import code_table
from services.ui.words import NOTHING, ago, between, count, duration, listed, plain

_LEAST_SECONDS = 0.05
_LONGER = "Longer by"
_TWO_DIGITS = st.column_config.NumberColumn(format="%.2f")
_ONLY: dict[str, Callable[[NodePair], bool]] = {
    "All": lambda _: True,
    "Changed state": lambda pair: pair.change == "changed",
    "Added": lambda pair: pair.change == "added",
    "Removed": lambda pair: pair.change == "removed",
    "Slower": lambda pair: (pair.slower_by or 0) > 0,
    "Faster": lambda pair: (pair.slower_by or 0) < 0,
}


def heads(found: Comparison) -> None:
    """Draw both runs: number, state, age and duration, with a link to each."""
    for column, run in zip(st.columns(2, gap="large"), (found.before, found.after), strict=True):
        with column, st.container(border=True, gap="xsmall"):
            _head(run)


def _head(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        badge(run.state.style)
        label = f"**Run {run.id} of {plain(run.project)}**"
        st.page_link("pages/run.py", label=label, query_params={"run_id": str(run.id)})
    st.caption(f"{ago(run.created_at)} · ran for {duration(between(run.started_at, run.finished_at))}")
    st.code(f"dbt {run.command}", language=None, wrap_lines=True)


def differences(found: Comparison) -> None:
    """Draw what was not the same for both."""
    st.header("What was different", anchor=False)
    if not found.differences:
        st.caption("Nothing: same commit, same dbt, same conf, same state.")
        return
    rows = [(each.name, each.before or NOTHING, each.after or NOTHING) for each in found.differences]
    st.dataframe(
        pd.DataFrame(rows, columns=["What", f"Run {found.before.id}", f"Run {found.after.id}"]),
        hide_index=True,
        alt="Facts and parameters that differ between the runs",
    )


def code(found: Comparison) -> None:
    """Draw whose code was not the same."""
    st.header("Code", anchor=False)
    code_table(found.code, key="compared")


def times(found: Comparison) -> None:
    """Draw where the time of each run went."""
    st.header("Where the time went", anchor=False)
    rows = [
        (pair.name, pair.before, pair.after, (pair.after or 0) - (pair.before or 0))
        for pair in found.stages
        if max(pair.before or 0, pair.after or 0) >= _LEAST_SECONDS
    ]
    columns = ["Stage", *_titles(found, ", seconds"), _LONGER]
    st.dataframe(
        pd.DataFrame(rows, columns=columns),
        hide_index=True,
        placeholder="",
        column_config=dict.fromkeys(columns[1:], _TWO_DIGITS),
        alt="Seconds of each stage in both runs",
    )


def nodes(found: Comparison) -> None:
    """Draw how each node fared in both, what changed first."""
    st.header("Nodes", anchor=False)
    if not found.nodes:
        st.caption("Neither run has node results.")
        return
    changes = Counter(pair.change for pair in found.nodes)
    words = [f"{count(changes[change], 'node')} {change}" for change in ("added", "removed", "changed")]
    st.caption(listed(word for word in words if not word.startswith("0 ")) or "All nodes ended the same way in both.")
    shown = _chosen(found.nodes)
    if not shown:
        st.caption("No node fits.")
        return
    statuses = [status.style for status in NodeStatus]
    badge_column = st.column_config.MultiselectColumn(
        options=[style.label for style in statuses], color=[style.colour for style in statuses], width=110
    )
    before, after = _titles(found)
    st.dataframe(
        _frame(shown, before, after),
        hide_index=True,
        placeholder="",
        height=620 if len(shown) > 16 else "content",
        column_config={
            before: badge_column,
            after: badge_column,
            **dict.fromkeys((f"{before}, seconds", f"{after}, seconds", "Slower by"), _TWO_DIGITS),
        },
        alt="Each node's change, status and duration in both runs",
    )


def _titles(found: Comparison, suffix: str = "") -> tuple[str, str]:
    return f"Run {found.before.id}{suffix}", f"Run {found.after.id}{suffix}"


def _chosen(pairs: Sequence[NodePair]) -> list[NodePair]:
    """Draw the filters, which the URL holds; the nodes that fit."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        only = st.segmented_control(
            "Show",
            list(_ONLY),
            default="All",
            required=True,
            key="only",
            bind="query-params",
            label_visibility="collapsed",
        )
        text = st.text_input(
            "Find", key="find", bind="query-params", placeholder="Name", label_visibility="collapsed", width=220
        )
    fits = _ONLY[only or "All"]
    return [pair for pair in pairs if fits(pair) and (text or "").lower() in pair.name.lower()]


def choose() -> None:
    """Draw two fields for the numbers of the runs, where the address names none."""
    with st.form("which", border=True):
        one, other = st.columns(2)
        before = one.number_input("Run", min_value=1, step=1, value=None, key="which_one")
        after = other.number_input("Compared with run", min_value=1, step=1, value=None, key="which_other")
        if st.form_submit_button("Compare", icon=":material/compare_arrows:") and before and after:
            st.switch_page("pages/compare.py", query_params={"runs": f"{before:.0f}-{after:.0f}"})


def _frame(pairs: Sequence[NodePair], before: str, after: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Node": [pair.name for pair in pairs],
            "Change": [pair.change for pair in pairs],
            "Type": [pair.resource_type for pair in pairs],
            before: [_status(pair.before) for pair in pairs],
            after: [_status(pair.after) for pair in pairs],
            f"{before}, seconds": pd.array([_seconds(pair.before) for pair in pairs], dtype="Float64"),
            f"{after}, seconds": pd.array([_seconds(pair.after) for pair in pairs], dtype="Float64"),
            "Slower by": pd.array([pair.slower_by for pair in pairs], dtype="Float64"),
        }
    )


def _status(node: NodeResult | None) -> list[str]:
    return [node.status.style.label] if node else []


def _seconds(node: NodeResult | None) -> float | None:
    return node.seconds if node else None
