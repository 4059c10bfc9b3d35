"""The tests tab of a run's page: how they ended, each failure with its query, and all of them with their history."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from models.run import NodeResult, Run
from models.run_state import NodeStatus
from services.run import run_nodes
from services.run.node_pasts import Past, pasts
from services.run.run_nodes import TESTS, NodeFilter, Order
from services.ui.run.node_failures import failure_details
from services.ui.run.node_table import node_table
from services.ui.words import count, plain

_MOST = 20
_TROUBLED = (NodeStatus.ERROR, NodeStatus.RUNTIME_ERROR, NodeStatus.FAIL, NodeStatus.WARN)


def run_tests(run: Run, invocation_id: int) -> None:
    """Draw the tests of the run."""
    counts = run_nodes.counts(invocation_id)
    of_status: Counter[NodeStatus] = Counter()
    for (kind, status), number in counts.items():
        if kind in TESTS:
            of_status[status] += number
    if not of_status:
        st.caption("The run has no tests." if run.state.is_terminal else "No test has started yet.")
        return
    words = " · ".join(f"{number:,} {status.style.word.lower()}" for status, number in of_status.most_common())
    st.caption(f"{count(of_status.total(), 'test')}: {words}")
    _troubles(run, invocation_id)
    node_table(run, invocation_id, kinds=TESTS, key="tests")


def _troubles(run: Run, invocation_id: int) -> None:
    chosen = NodeFilter(statuses=_TROUBLED, kinds=TESTS)
    found = run_nodes.page_of_nodes(invocation_id, chosen, order=Order.FAILED, size=_MOST)
    past = pasts(run, [node.unique_id for node in found.nodes])
    for brief in found.nodes:
        node = run_nodes.node_of(invocation_id, brief.unique_id)
        if node:
            _trouble(run, node, past.get(node.unique_id, []))
    if found.total > _MOST:
        st.caption(f"The other {found.total - _MOST:,} are in the table: order it by Failed first.")


def _trouble(run: Run, node: NodeResult, past: Sequence[Past]) -> None:
    failing = f" · {count(node.failures, 'row')}" if node.failures else ""
    style = node.status.style
    with st.expander(f"**{plain(node.name)}** · {style.word}{failing}", icon=style.icon, key=f"test_{node.unique_id}"):
        failure_details(run, node, past, where="test")
        _rows(node)


def _rows(node: NodeResult) -> None:
    """Where the rows are. They are in the warehouse, which the console has no login for."""
    if node.status not in (NodeStatus.FAIL, NodeStatus.WARN):
        return
    if node.relation:
        st.markdown("dbt stored the rows (`store_failures`):")
        st.code(f"select * from {node.relation} limit 100", language="sql")  # noqa: S608  shown, never run
    elif node.compiled_sql:
        st.caption(
            "The query above gives the rows. With `store_failures: true` on the test, dbt keeps them in a table."
        )
