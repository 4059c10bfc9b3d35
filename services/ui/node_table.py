"""Node results of one invocation: failures with dbt's words and SQL, skips with their reason, all in a table."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from models.run import NodeResult
from models.run_state import NodeStatus
from services.ui.words import between, count, duration, listed, plain, short

MOST_FAILURES = 20
_ORDERS = ("Newest first", "Slowest first", "Failed first")
_TROUBLE = {
    status: place
    for place, status in enumerate(
        [
            NodeStatus.ERROR,
            NodeStatus.FAIL,
            NodeStatus.RUNTIME_ERROR,
            NodeStatus.PARTIAL,
            NodeStatus.INTERRUPTED,
            NodeStatus.SKIPPED,
            NodeStatus.WARN,
            NodeStatus.STARTED,
        ]
    )
}


def failures(nodes: Sequence[NodeResult], *, open_first: bool) -> None:
    """Draw the failing nodes, the first one open where wished, then the nodes that were skipped because of them."""
    bad = [node for node in nodes if node.status.is_bad]
    if not bad:
        return
    for number, node in enumerate(bad[:MOST_FAILURES]):
        _failure(node, is_open=open_first and number == 0)
    if len(bad) > MOST_FAILURES:
        st.caption(f"The other {len(bad) - MOST_FAILURES:,} are in the table below: order it by Failed first.")
    _skipped(
        [node for node in nodes if node.status is NodeStatus.SKIPPED], {node.unique_id: node.name for node in nodes}
    )


def _failure(node: NodeResult, *, is_open: bool) -> None:
    style = node.status.style
    label = f"**{plain(node.name)}** · {node.resource_type} · {style.word}"
    with st.expander(
        f"{label} · {plain(short(node.message, most=110))}",
        expanded=is_open,
        icon=style.icon,
        key=f"failure_{node.unique_id}_{is_open}",
    ):
        st.code(node.message or "dbt gave no message.", language=None, wrap_lines=True)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                listed([plain(node.path or ""), plain(node.relation or ""), duration(node.seconds)]), width="stretch"
            )
            st.button(
                "Show in log",
                icon=":material/article:",
                type="tertiary",
                key=f"show_{node.unique_id}",
                on_click=_show_in_log,
                args=(node.name,),
            )
        if node.compiled_sql:
            st.code(
                node.compiled_sql.strip(),
                language="sql",
                height=240 if node.compiled_sql.count("\n") > 12 else "content",
            )


def _show_in_log(name: str) -> None:
    """Open the log tab at the node's error; the address then says so too."""
    st.session_state["tab"] = "Log"
    st.query_params.pop("line", None)
    st.query_params["find"] = name


def _skipped(skipped: Sequence[NodeResult], names: dict[str, str]) -> None:
    if not skipped:
        return
    with st.expander(f"{count(len(skipped), 'node')} skipped because of a failure", icon=NodeStatus.SKIPPED.style.icon):
        for node in skipped[:200]:
            reason = node.skipped_because and names.get(node.skipped_because, node.skipped_because.split(".")[-1])
            st.markdown(f"**{plain(node.name)}** · " + (f"{plain(reason)} failed" if reason else "an ancestor failed"))


def node_table(nodes: Sequence[NodeResult], *, key: str) -> None:
    """Draw the table of results with a choice of order."""
    order = st.segmented_control(
        "Order", _ORDERS, default=_ORDERS[0], required=True, key=f"{key}_order", label_visibility="collapsed"
    )
    statuses = [status.style for status in NodeStatus]
    st.dataframe(
        _frame(_ordered(nodes, order or _ORDERS[0])),
        key=key,
        hide_index=True,
        placeholder="",
        height=620 if len(nodes) > 16 else "content",
        column_config={
            "Status": st.column_config.MultiselectColumn(
                options=[style.label for style in statuses], color=[style.colour for style in statuses], width=110
            ),
            "Name": st.column_config.TextColumn(width=290),
            "Type": st.column_config.TextColumn(width=90),
            "Seconds": st.column_config.ProgressColumn(
                format="%.2f",
                width=130,
                min_value=0,
                max_value=max([_seconds(node) or 0 for node in nodes], default=1) or 1,
            ),
            "Rows": st.column_config.NumberColumn(format="localized", width=80),
            "Message": st.column_config.TextColumn(width="large"),
            "Thread": st.column_config.TextColumn(width=90),
        },
        alt="Result of each node: status, name, type, seconds, rows and message",
    )


def _seconds(node: NodeResult) -> float | None:
    if node.seconds is not None or (node.finished_at is None and node.status is not NodeStatus.STARTED):
        return node.seconds
    return between(node.started_at, node.finished_at)


def _ordered(nodes: Sequence[NodeResult], order: str) -> list[NodeResult]:
    newest = sorted(
        nodes, key=lambda node: node.finished_at.timestamp() if node.finished_at else float("inf"), reverse=True
    )
    if order == "Slowest first":
        return sorted(newest, key=lambda node: _seconds(node) or 0, reverse=True)
    if order == "Failed first":
        return sorted(newest, key=lambda node: _TROUBLE.get(node.status, len(_TROUBLE)))
    return newest


def _frame(nodes: Sequence[NodeResult]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Status": [[node.status.style.label] for node in nodes],
            "Name": [node.name for node in nodes],
            "Type": [node.resource_type for node in nodes],
            "Seconds": pd.array([_seconds(node) for node in nodes], dtype="Float64"),
            "Rows": pd.array([node.rows for node in nodes], dtype="Int64"),
            "Message": [short(node.message) for node in nodes],
            "Thread": [node.thread or "" for node in nodes],
        }
    )
