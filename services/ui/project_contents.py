"""What dbt found in a project: counts, problems, and the list of its nodes."""

from typing import Any

import streamlit as st

from models.project import Project, ProjectNode, ProjectStep
from services.ui.words import plain

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
    st.dataframe(
        [_row(node) for node in shown],
        hide_index=True,
        height=min(560, 37 + 35 * len(shown)),
        column_config={
            "Name": st.column_config.TextColumn(width="medium"),
            "Tags": st.column_config.ListColumn(),
            "Description": st.column_config.TextColumn(width="large"),
        },
        alt=f"The nodes of project {project.name}",
    )


def problems(parsed: ProjectStep) -> None:
    """Draw all that dbt said against the project, errors first, each with its way on."""
    found: list[dict[str, Any]] = parsed.detail.get("problems", [])
    errors = [problem for problem in found if problem["kind"] != "warning"]
    warnings = [problem for problem in found if problem["kind"] == "warning"]
    if errors:
        with st.container(border=True):
            st.subheader("What dbt says", anchor=False)
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


def _row(node: ProjectNode) -> dict[str, Any]:
    return {
        "Name": node.name,
        "Type": node.resource_type,
        "Materialized": node.materialized or "",
        "File": node.path,
        "Tags": node.tags,
        "Description": node.description,
    }
