"""Two runs side by side, as the compare page shows them."""

from collections import Counter

import pandas as pd
import streamlit as st

from models.run import NodeResult, Run
from models.run_state import NodeStatus
from services.comparing import Comparison, NodePair
from services.ui.badges import badge
from services.ui.words import NOTHING, ago, between, count, duration, listed, plain


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
    st.subheader("What was different", anchor=False)
    if not found.differences:
        st.caption("Nothing: same commit, same dbt, same conf, same state.")
        return
    rows = [(each.name, each.before or NOTHING, each.after or NOTHING) for each in found.differences]
    st.dataframe(
        pd.DataFrame(rows, columns=["", f"Run {found.before.id}", f"Run {found.after.id}"]),
        hide_index=True,
        alt="Facts and parameters that differ between the runs",
    )


def nodes(found: Comparison) -> None:
    """Draw how each node fared in both, what changed first."""
    st.subheader("Nodes", anchor=False)
    if not found.nodes:
        st.caption("Neither run has node results.")
        return
    changes = Counter(pair.change for pair in found.nodes)
    words = [f"{count(changes[change], 'node')} {change}" for change in ("added", "removed", "changed")]
    st.caption(listed(word for word in words if not word.startswith("0 ")) or "All nodes ended the same way in both.")
    statuses = [status.style for status in NodeStatus]
    badge_column = st.column_config.MultiselectColumn(
        options=[style.label for style in statuses], color=[style.colour for style in statuses], width=110
    )
    two_digits = st.column_config.NumberColumn(format="%.2f")
    before, after = f"Run {found.before.id}", f"Run {found.after.id}"
    st.dataframe(
        _frame(found.nodes, before, after),
        hide_index=True,
        height=620 if len(found.nodes) > 16 else "content",
        column_config={
            before: badge_column,
            after: badge_column,
            **dict.fromkeys((f"{before}, seconds", f"{after}, seconds", "Slower by"), two_digits),
        },
        alt="Each node's status and duration in both runs",
    )


def _frame(pairs: list[NodePair], before: str, after: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Node": [pair.name for pair in pairs],
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
