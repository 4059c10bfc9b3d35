"""The tests tab of a run's page: how they ended, each failure with its query, and all of them with their history."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from contracts.dbt_api import Rows
from models.run import NodeResult, Run
from models.run_state import NodeStatus
from services.run import failing_rows, run_nodes
from services.run.node_pasts import Past, pasts
from services.run.run_nodes import TESTS, NodeFilter, Order
from services.ui import errors
from services.ui.run.node_failures import failure_details
from services.ui.run.node_table import node_table
from services.ui.words import count, plain

_MOST = 20
_TOLD = "Asks the test's query again, through the dbt API, with the run's target and variables."
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
        _rows(run, node)


def _rows(run: Run, node: NodeResult) -> None:
    """Where the rows are: in the warehouse, which the dbt API may be asked for them."""
    if node.status not in (NodeStatus.FAIL, NodeStatus.WARN):
        return
    if node.relation:
        st.markdown("dbt stored the rows (`store_failures`):")
        st.code(f"select * from {node.relation} limit 100", language="sql")  # noqa: S608  shown, never run
    if not failing_rows.can_be_asked(run):
        st.caption("The query above gives the rows: only the run's pods reach its warehouse, not the console.")
        return
    shown: dict[str, Rows] = st.session_state.setdefault("test_rows", {})
    key = f"{run.id} {node.unique_id}"
    if st.button("Show rows", icon=":material/table_rows:", key=f"rows_{node.unique_id}", help=_TOLD):
        with errors.guarded(), st.spinner("dbt asks the warehouse…"):
            shown.clear()
            shown[key] = failing_rows.rows_of(run, node)
    if key in shown:
        _draw_rows(shown[key])


def _draw_rows(found: Rows) -> None:
    if not found.ok:
        st.error(plain(found.message or "dbt gave no rows."), icon=":material/error:")
    elif not found.rows:
        st.info("The query gives no rows any more: the data has changed since the run.", icon=":material/check:")
    else:
        st.dataframe(pd.DataFrame(found.rows), hide_index=True, alt="Rows that the test's query gives now")
        more = f", the first {failing_rows.MOST_ROWS}" if len(found.rows) == failing_rows.MOST_ROWS else ""
        st.caption(f"{count(len(found.rows), 'row')}{more}, as the warehouse has them now.")
