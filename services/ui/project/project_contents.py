"""What dbt found in a project: counts, problems, and the list of its nodes, to search and to look into."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from models.project import Project, ProjectNode, ProjectStep
from models.run import NodeResult
from models.run_state import NodeStatus
from services.runs import history
from services.ui.project.project_lineage import node_card
from services.ui.words import count, plain

_COUNTED = {"model": "Models", "test": "Tests", "source": "Sources", "seed": "Seeds", "snapshot": "Snapshots"}
_HIDDEN = ("macro",)


def contents(project: Project, parsed: ProjectStep, nodes: list[ProjectNode]) -> None:
    """Draw the counts and the table of nodes as last parsed."""
    shown = [node for node in nodes if node.resource_type not in _HIDDEN]
    if not shown:
        st.caption("Nothing yet: dbt has not parsed this project.")
        return
    with st.container(horizontal=True):
        for kind, title in _COUNTED.items():
            number = sum(node.resource_type == kind for node in nodes)
            st.metric(title, number, border=True, width=150)
    version = parsed.detail.get("dbt_version")
    told = [f"dbt {version}" if version else "", parsed.detail.get("adapter") or "", f"targets: {_targets(project)}"]
    st.caption(plain(" · ".join(word for word in told if word)))
    last = history.last_results(project.name)
    found = _chosen(shown)
    st.caption(f"{count(len(found), 'node')} of {len(shown):,}")
    _table(project, found, last)
    picked = st.selectbox(
        "Node",
        [node.unique_id for node in found],
        index=None,
        placeholder="Choose a node to see its lineage and its last results",
        key="node",
        bind="query-params",
    )
    for node in found:
        if node.unique_id == picked:
            node_card(project, node, nodes, last)


def _chosen(nodes: Sequence[ProjectNode]) -> list[ProjectNode]:
    """Draw the filters; the nodes that fit. As in dbt's own selection, several tags mean any of them."""
    left, middle, right = st.columns([3, 2, 2])
    text = (left.text_input("Search", key="search", placeholder="Name, description, file", live="300ms") or "").lower()
    kinds = middle.multiselect("Type", sorted({node.resource_type for node in nodes}), key="types", placeholder="All")
    all_tags = sorted({tag for node in nodes for tag in node.tags})
    tags = right.multiselect("Tags", all_tags, key="tags", disabled=not all_tags, placeholder="Any")
    return [
        node
        for node in nodes
        if (not kinds or node.resource_type in kinds)
        and (not tags or set(tags) & set(node.tags))
        and any(text in each.lower() for each in (node.name, node.description, node.path))
    ]


def _table(project: Project, nodes: Sequence[ProjectNode], last: Mapping[str, NodeResult]) -> None:
    results = [last.get(node.unique_id) for node in nodes]
    styles = [status.style for status in NodeStatus]
    st.dataframe(
        pd.DataFrame(
            {
                "Name": [node.name for node in nodes],
                "Type": [node.resource_type for node in nodes],
                "Last status": [[each.status.style.label] if each else [] for each in results],
                "Seconds": pd.array([each.seconds if each else None for each in results], dtype="Float64"),
                "When": pd.Series(
                    [each.finished_at if each else None for each in results], dtype="datetime64[ns, UTC]"
                ),
                "Materialized": [node.materialized or "" for node in nodes],
                "Tags": [node.tags for node in nodes],
                "File": [node.path for node in nodes],
                "Description": [node.description for node in nodes],
            }
        ),
        hide_index=True,
        placeholder="",
        height=min(420, 37 + 35 * max(1, len(nodes))),
        column_config={
            "Name": st.column_config.TextColumn(width="medium"),
            "Last status": st.column_config.MultiselectColumn(
                options=[style.label for style in styles], color=[style.colour for style in styles], width=110
            ),
            "Seconds": st.column_config.NumberColumn(format="%.2f", width=80),
            "When": st.column_config.DatetimeColumn(format="distance", width=110),
            "Tags": st.column_config.ListColumn(),
            "Description": st.column_config.TextColumn(width="large"),
        },
        alt=f"The nodes of project {project.name}, with their last results",
    )


def problems(parsed: ProjectStep) -> None:
    """Draw all that dbt said against the project, errors first, each with its way on."""
    found: list[dict[str, Any]] = parsed.detail.get("problems", [])
    errors = [problem for problem in found if problem["kind"] != "warning"]
    warnings = [problem for problem in found if problem["kind"] == "warning"]
    if errors:
        with st.container(border=True):
            st.header("What dbt says", anchor=False)
            for problem in errors:
                _problem(problem)
    if warnings:
        with st.expander(f"Warnings ({len(warnings)})", icon=":material/warning:"):
            for problem in warnings:
                _problem(problem)


def _problem(problem: dict[str, Any]) -> None:
    with st.container(horizontal=True, gap="xsmall"):
        st.badge(problem["kind"].replace("_", " ").capitalize(), color="gray")
        if problem.get("file"):
            st.badge(problem["file"], icon=":material/description:", color="gray")
    st.code(problem["message"], language=None, wrap_lines=True)
    if problem.get("hint"):
        st.caption(f":material/lightbulb: {plain(problem['hint'])}")


def _targets(project: Project) -> str:
    return ", ".join(project.targets) or "none"
