"""One node of a run: what became of it, its history across runs, its neighbours in this run, its SQL."""

from collections.abc import Sequence

import streamlit as st

from models.run import NodeResult, Run
from models.run_state import NodeStatus
from services.run import run_nodes
from services.run.node_pasts import Past, pasts
from services.run.run_graph import graph_of
from services.ui.badges import badge
from services.ui.run.node_failures import failure_details, place, show_in_log
from services.ui.run.node_history import chart, strip
from services.ui.run.run_log import open_log
from services.ui.run.sql_lines import whole_sql
from services.ui.words import count, duration, listed, plain, size

_PAST = 30
_NEIGHBOURS = 12


def node_card(run: Run, invocation_id: int, unique_id: str) -> None:
    """Draw the node that the URL names, or say that the run has none of that name."""
    node = run_nodes.node_of(invocation_id, unique_id)
    with st.container(border=True):
        if node is None:
            _head(None, f"This run has no node {plain(unique_id)}.")
            return
        _head(node, f"**{plain(node.name)}**")
        _facts(node)
        st.button(
            "All its log lines",
            icon=":material/article:",
            type="tertiary",
            key="node_log",
            on_click=open_log,
            kwargs={"about": unique_id},
        )
        left, right = st.columns([3, 2], gap="medium")
        with left:
            past = pasts(run, [unique_id], of_last=_PAST).get(unique_id, [])
            _result(run, node, past)
        with right:
            _history(node, past)
            _neighbours(run, invocation_id, unique_id)


def _head(node: NodeResult | None, title: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if node:
            badge(node.status.style)
        st.markdown(title, width="stretch")
        st.button(
            "Close", icon=":material/close:", type="tertiary", key="close_node", on_click=_close, help="Close the node"
        )


def _close() -> None:
    st.query_params.pop("node", None)


def _facts(node: NodeResult) -> None:
    rows = count(node.rows, "row") if node.rows is not None else ""
    read = f"{size(node.bytes_processed)} processed" if node.bytes_processed is not None else ""
    query = f"query {plain(node.query_id)}" if node.query_id else ""
    failing = f"{node.failures:,} failing" if node.failures else ""
    kind = node.resource_type.replace("_", " ")
    words = [kind, plain(node.materialized or ""), place(node), plain(node.relation or ""), duration(node.seconds)]
    st.caption(listed([*words, rows, read, failing, query]))


def _result(run: Run, node: NodeResult, past: Sequence[Past]) -> None:
    if node.status.is_bad:
        failure_details(run, node, past, where="card")
        return
    if node.status is NodeStatus.SKIPPED and node.skipped_because:
        st.markdown(f"Skipped because **{plain(node.skipped_because.split('.')[2])}** failed.")
    if node.message:
        st.code(node.message, language=None, wrap_lines=True)
    strip(past)
    show_in_log(node, where="card")
    if node.compiled_sql:
        whole_sql(node.compiled_sql)


def _history(node: NodeResult, past: Sequence[Past]) -> None:
    st.markdown("**Last runs on this target**")
    if not past:
        st.caption("It has not run before on this target.")
        return
    chart(past, alt=f"Seconds of {node.name} in its last runs")
    with st.container(horizontal=True, gap="small"):
        for each in reversed(past[-6:]):
            label = f"{each.status.style.glyph} run {each.run_id}"
            st.page_link("pages/run.py", label=label, query_params={"run_id": str(each.run_id), "node": node.unique_id})


def _neighbours(run: Run, invocation_id: int, unique_id: str) -> None:
    graph = graph_of(run, invocation_id)
    above = graph.get(unique_id, [])
    below = [name for name, parents in graph.items() if unique_id in parents]
    for title, names in (("Reads", above), ("Read by", below)):
        if not names:
            continue
        shown = ", ".join(plain(name.split(".", 2)[-1]) for name in names[:_NEIGHBOURS])
        more = f" and {len(names) - _NEIGHBOURS} more" if len(names) > _NEIGHBOURS else ""
        st.caption(f"{title}: {shown}{more}")
