"""What failed in a run, before all else: dbt's words, file and line, the SQL, since when, what was skipped for it."""

import re
from collections.abc import Mapping, Sequence

import streamlit as st

from models.run import NodeResult, Run
from models.run_state import NodeStatus
from services.run import run_nodes
from services.run.node_pasts import Past, failing_since, pasts
from services.run.skipped import Skipped, skipped_nodes
from services.ui.run.node_history import strip
from services.ui.run.run_log import open_log
from services.ui.run.sql_lines import marked_sql, whole_sql
from services.ui.words import count, duration, listed, plain, short

MOST_FAILURES = 20
_NAMED = 40
_HEADER = re.compile(r"^\s*[A-Z][A-Za-z ]*Error in [^\n]*\n\s*(?=\S)")
"""Dbt's first line, which names the node that the title names already."""


def failures(run: Run, invocation_id: int, *, open_first: bool) -> None:
    """Draw the failing nodes, the first one open where wished, then the nodes that were skipped because of them."""
    failed = run_nodes.failed_nodes(invocation_id, most=MOST_FAILURES)
    if not failed.total:
        return
    past = pasts(run, [node.unique_id for node in failed.nodes])
    for number, node in enumerate(failed.nodes):
        _failure(run, node, past.get(node.unique_id, []), is_open=open_first and number == 0)
    if failed.total > MOST_FAILURES:
        st.caption(f"The other {failed.total - MOST_FAILURES:,} are in the table below: order it by Failed first.")
    _skipped(skipped_nodes(run, invocation_id))


def _failure(run: Run, node: NodeResult, past: Sequence[Past], *, is_open: bool) -> None:
    style = node.status.style
    label = f"**{plain(node.name)}** · {node.resource_type.replace('_', ' ')} · {style.word}"
    with st.expander(
        f"{label} · {plain(short(_HEADER.sub('', node.message or ''), most=110))}",
        expanded=is_open,
        icon=style.icon,
        key=f"failure_{node.unique_id}_{is_open}",
    ):
        failure_details(run, node, past)


def failure_details(run: Run, node: NodeResult, past: Sequence[Past], *, where: str = "failure") -> None:
    """Draw dbt's message, where it points to, and how the node fared before."""
    st.code(node.message or "dbt gave no message.", language=None, wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(listed([place(node), plain(node.relation or ""), duration(node.seconds)]), width="stretch")
        show_in_log(node, where=where)
    _since(run, past)
    if node.compiled_sql:
        if node.compiled_line:
            marked_sql(node.compiled_sql, node.compiled_line)
        with st.expander("All of the compiled SQL", icon=":material/code:", expanded=not node.compiled_line):
            whole_sql(node.compiled_sql)


def place(node: NodeResult) -> str:
    """File and line as an editor takes them, as far as they are known."""
    file = node.file or node.path or ""
    return f"`{file}:{node.file_line}`" if node.file_line else plain(file)


def show_in_log(node: NodeResult, *, where: str) -> None:
    """Draw the button that opens the log at the node's error."""
    st.button(
        f"Line {node.log_line:,} of the log" if node.log_line else "Show in log",
        icon=":material/article:",
        type="tertiary",
        key=f"show_{where}_{node.unique_id}",
        on_click=open_log,
        kwargs={"line": node.log_line, "find": node.name},
    )


def _since(run: Run, past: Sequence[Past]) -> None:
    first = failing_since(past)
    if len(past) < 2:
        st.caption("It has not run before on this target.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        strip(past)
        if first is None or first.run_id == run.id:
            st.caption("It did not fail the time before.", width="content")
            return
        st.page_link(
            "pages/run.py", label=f"Failing since run {first.run_id}", query_params={"run_id": str(first.run_id)}
        )


def _skipped(skipped: Skipped) -> None:
    if not skipped.total:
        return
    style = NodeStatus.SKIPPED.style
    with st.expander(f"{count(skipped.total, 'node')} skipped because of a failure", icon=style.icon):
        for cause, names in skipped.by_cause.items():
            st.markdown(_reason(cause, names, skipped.names))


def _reason(cause: str | None, names: Sequence[str], known: Mapping[str, str]) -> str:
    shown = ", ".join(plain(name) for name in names[:_NAMED])
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    why = f"**{plain(known.get(cause, cause.split('.')[-1]))}** failed" if cause else "An ancestor failed"
    return f"{why}: {count(len(names), 'node')} skipped  \n{shown}{more}"
