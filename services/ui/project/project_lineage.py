"""One node of a project: what it is, what is around it, and what became of it in the last runs."""

from collections.abc import Mapping, Sequence

import streamlit as st

from models.project import Project, ProjectNode
from models.run import NodeResult, Run
from services import lineage
from services.lineage import Lineage
from services.runs import history
from services.ui.badges import badge
from services.ui.run.digraph import Box, digraph
from services.ui.words import NOTHING, duration, listed, moment, plain

_MOST_STEPS = 5


def node_card(
    project: Project, node: ProjectNode, nodes: Sequence[ProjectNode], last: Mapping[str, NodeResult]
) -> None:
    """Draw the node with its lineage and its last results."""
    with st.container(border=True):
        st.header(plain(node.name), anchor=False)
        st.caption(
            listed([node.resource_type, plain(node.materialized or ""), plain(node.path), plain(", ".join(node.tags))])
        )
        if node.description:
            st.markdown(plain(node.description))
        left, right = st.columns([3, 2], gap="medium")
        with left:
            _lineage(node, nodes, last)
        with right:
            _results(history.results_of_node(project.name, node.unique_id))


def _lineage(node: ProjectNode, nodes: Sequence[ProjectNode], last: Mapping[str, NodeResult]) -> None:
    st.markdown("**Lineage**")
    up, down = st.columns(2)
    upstream = up.slider("Steps upstream", 0, _MOST_STEPS, 2, key="lineage_up")
    downstream = down.slider("Steps downstream", 0, _MOST_STEPS, 2, key="lineage_down")
    near = lineage.around(nodes, node.unique_id, upstream=upstream, downstream=downstream)
    st.graphviz_chart(dot(near, node.unique_id, last), width="stretch", alt=f"Lineage of {node.name}")


def dot(near: Lineage, chosen: str, last: Mapping[str, NodeResult]) -> str:
    """The nodes with the state of their last results."""
    return digraph([_box(node, last.get(node.unique_id), node.unique_id == chosen) for node in near.nodes], near.edges)


def _box(node: ProjectNode, result: NodeResult | None, is_chosen: bool) -> Box:
    glyph = f"{result.status.style.glyph} " if result else ""
    colour = result.status.style.colour if result else "gray"
    return Box(node.unique_id, f"{glyph}{node.name}\n{node.resource_type}", colour, is_chosen)


def _results(results: Sequence[tuple[NodeResult, Run]]) -> None:
    st.markdown("**Last results**")
    if not results:
        st.caption("It has not run yet.")
    for result, run in results:
        took = duration(result.seconds) if result.seconds is not None else NOTHING
        rows = f"{result.rows:,} rows" if result.rows is not None else ""
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            badge(result.status.style)
            st.caption(listed([took, rows, moment(result.finished_at)]), width="stretch")
            st.page_link("pages/run.py", label=f"Run {run.id}", query_params={"run_id": str(run.id)})
