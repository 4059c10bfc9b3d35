"""The lineage tab of a run's page: its nodes coloured by state, as they are now."""

from typing import Literal
from urllib.parse import urlencode

import streamlit as st

from contracts.run_conf import DbtCommand
from models.run import Run
from services.run import run_nodes
from services.run.run_graph import graph_of
from services.run.run_lineage import RunNode, lineage_of
from services.ui.run.digraph import Box, digraph
from services.ui.words import count, duration

_FEW = 12
"""So few nodes would be blown up by the page's whole width."""
_WHOLE = (DbtCommand.BUILD, DbtCommand.RUN)


def run_lineage(run: Run, invocation_id: int) -> None:
    """Draw the graph; a click on a node opens it."""
    results = run_nodes.outline(invocation_id)
    graph = graph_of(run, invocation_id)
    if not results:
        st.caption("dbt ran no node." if run.state.is_terminal else "Nodes appear here as they start.")
        return
    chosen = st.query_params.get("node")
    found = lineage_of(results, graph, around=chosen, with_waiting=_runs_everything(run))
    _legend(len(found.nodes), found.left_out)
    if not graph:
        st.caption("What depends on what is not known: the run left no manifest, and its project is gone.")
    boxes = [_box(run, node, is_chosen=node.unique_id == chosen) for node in found.nodes]
    width: Literal["stretch", "content"] = "stretch" if len(boxes) > _FEW else "content"
    st.graphviz_chart(digraph(boxes, found.edges), width=width, alt=f"Lineage of run {run.id} by state")


def _runs_everything(run: Run) -> bool:
    """Whether all nodes of the project will have their turn: a live run of the whole."""
    is_whole = run.conf.get("command") in _WHOLE and not run.conf.get("select") and not run.conf.get("exclude")
    return is_whole and not run.state.is_terminal


def _legend(shown: int, left_out: int) -> None:
    if left_out:
        st.caption(f"{count(shown, 'node')} of {shown + left_out:,}: those near the chosen, failed or running ones.")
    else:
        st.caption(f"{count(shown, 'node')}; tests are counted on what they test. A click opens a node.")


def _box(run: Run, node: RunNode, *, is_chosen: bool) -> Box:
    result = node.result
    if result is None:
        return Box(node.unique_id, f"○ {node.unique_id.split('.', 2)[-1]}\nits turn has not come")
    style = result.status.style
    took = f" · {duration(result.seconds)}" if result.seconds else ""
    label = f"{style.glyph} {result.name}\n{result.resource_type}{took}{_tests(node)}"
    link = "?" + urlencode({"run_id": run.id, "tab": "Lineage", "node": result.unique_id})
    return Box(result.unique_id, label, "red" if node.tests_bad else style.colour, is_chosen, link)


def _tests(node: RunNode) -> str:
    """A line of its own: those that failed first, and only what there is."""
    parts = [f"{glyph} {number}" for glyph, number in (("✖", node.tests_bad), ("✔", node.tests_good)) if number]
    return f"\n{' '.join(parts)} {'test' if node.tests_bad + node.tests_good == 1 else 'tests'}" if parts else ""
