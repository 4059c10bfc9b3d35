"""The nodes tab of a run's page: a page of its node results, filtered and ordered in SQL."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from models.run import NodeResult, Run
from models.run_state import NodeStatus
from services.run import run_nodes
from services.run.node_pasts import Past, pasts
from services.run.run_nodes import NodeFilter, Order
from services.ui.run.node_history import glyphs
from services.ui.words import between, count, short, size

PAGE = 100
_MOST_PAST = 8


def node_table(run: Run, invocation_id: int, *, kinds: Sequence[str] = (), key: str = "nodes") -> None:
    """Draw filters and table of all nodes, or of some kinds only."""
    counts = {pair: number for pair, number in run_nodes.counts(invocation_id).items() if not kinds or pair[0] in kinds}
    if not counts:
        st.caption("dbt ran no node." if run.state.is_terminal else "No node has started yet.")
        return
    chosen, order = _controls(counts, kinds, is_over=run.state.is_terminal, key=key)
    number = _page_number(key)
    found = run_nodes.page_of_nodes(invocation_id, chosen, order=order, page=number, size=PAGE)
    if not found.total:
        st.caption("No node fits. Take a filter away to see more.")
        return
    _table(found.nodes, pasts(run, [node.unique_id for node in found.nodes], of_last=_MOST_PAST), key=key)
    pages = -(-found.total // PAGE)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(count(found.total, "test" if kinds else "node"), width="stretch")
        if pages > 1:
            st.pagination(pages, key=f"{key}_page", bind="query-params")


def _page_number(key: str) -> int:
    """What the pagination below says; the URL before it is drawn for the first time."""
    told = st.session_state.get(f"{key}_page") or st.query_params.get(f"{key}_page", "1")
    return max(1, int(told)) if str(told).isdigit() else 1


def _controls(
    counts: Mapping[tuple[str, NodeStatus], int], kinds: Sequence[str], *, is_over: bool, key: str
) -> tuple[NodeFilter, Order]:
    statuses = {status.style.word: status for status in NodeStatus if any(each == status for _, each in counts)}
    offered = sorted({kind for kind, _ in counts})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = st.segmented_control(
            "Order",
            [str(each) for each in Order],
            default=str(Order.SLOWEST if is_over else Order.NEWEST),
            required=True,
            key=f"{key}_order",
            bind="query-params",
            label_visibility="collapsed",
            on_change=_first_page,
            args=(key,),
        )
        words = _several("Status", list(statuses), key, "status")
        types = _several("Type", offered, key, "type") if len(offered) > 1 else []
        text = st.text_input(
            "Find",
            key=f"{key}_find",
            bind="query-params",
            placeholder="Name, file, message",
            label_visibility="collapsed",
            icon=":material/search:",
            width=220,
            on_change=_first_page,
            args=(key,),
        )
    chosen = NodeFilter([statuses[word] for word in words if word in statuses], types or kinds, text or "")
    return chosen, Order(order or Order.NEWEST)


def _several(label: str, options: list[str], key: str, name: str) -> list[str]:
    return st.multiselect(
        label,
        options,
        key=f"{key}_{name}",
        bind="query-params",
        placeholder=label,
        label_visibility="collapsed",
        width=190,
        on_change=_first_page,
        args=(key,),
    )


def _first_page(key: str) -> None:
    st.session_state[f"{key}_page"] = 1


def _table(nodes: Sequence[NodeResult], past: Mapping[str, list[Past]], *, key: str) -> None:
    statuses = [status.style for status in NodeStatus]
    st.dataframe(
        _frame(nodes, past),
        key=key,
        hide_index=True,
        placeholder="",
        height=620 if len(nodes) > 16 else "content",
        column_config={
            "Name": st.column_config.ButtonColumn(
                width=280,
                type="tertiary",
                alignment="left",
                key=f"{key}_open",
                on_click=_open,
                args=(f"{key}_open", [node.unique_id for node in nodes]),
                help="Shows the node's history, SQL and neighbours",
            ),
            "Status": st.column_config.MultiselectColumn(
                options=[style.label for style in statuses], color=[style.colour for style in statuses], width=110
            ),
            "Type": st.column_config.TextColumn(width=90),
            "Seconds": st.column_config.ProgressColumn(
                format="%.2f", width=130, min_value=0, max_value=max([_seconds(node) or 0 for node in nodes]) or 1
            ),
            "Last runs": st.column_config.TextColumn(width=130, help="What became of it, oldest first"),
            "Their seconds": st.column_config.BarChartColumn(width=110, y_min=0),
            "Rows": st.column_config.NumberColumn(format="localized", width=80),
            "Message": st.column_config.TextColumn(width="large"),
            "Thread": st.column_config.TextColumn(width=90),
        },
        alt="Result of each node: name, status, type, seconds, last runs, rows and message",
    )


def _open(click_key: str, unique_ids: list[str]) -> None:
    click = st.session_state[click_key]
    if click is not None:
        st.query_params["node"] = unique_ids[click["row"]]


def _seconds(node: NodeResult) -> float | None:
    if node.status is NodeStatus.SKIPPED:
        return None
    if node.seconds is not None or (node.finished_at is None and node.status is not NodeStatus.STARTED):
        return node.seconds
    return between(node.started_at, node.finished_at)


def _frame(nodes: Sequence[NodeResult], past: Mapping[str, list[Past]]) -> pd.DataFrame:
    before = [past.get(node.unique_id, []) for node in nodes]
    columns = {
        "Name": [node.name for node in nodes],
        "Status": [[node.status.style.label] for node in nodes],
        "Type": [node.resource_type for node in nodes],
        "Seconds": pd.array([_seconds(node) for node in nodes], dtype="Float64"),
        "Last runs": [glyphs(each) for each in before],
        "Their seconds": [[one.seconds or 0 for one in each] if len(each) > 1 else [] for each in before],
        "Rows": pd.array([node.rows for node in nodes], dtype="Int64"),
        "Message": [short(node.message) for node in nodes],
        "Thread": [node.thread or "" for node in nodes],
    }
    if any(node.bytes_processed is not None for node in nodes):
        columns["Processed"] = [size(node.bytes_processed) for node in nodes]
    if all(len(each) < 2 for each in before):  # the first run of all has nothing to compare with
        del columns["Last runs"], columns["Their seconds"]
    return pd.DataFrame(columns)
