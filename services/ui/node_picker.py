"""Choosing nodes: by picking them, by tag, and by typing dbt's selector syntax, joined into one list of selectors."""

from collections.abc import Sequence

import streamlit as st

from models.project import ProjectNode

_METHODS = {"source": "source", "exposure": "exposure", "metric": "metric", "semantic_model": "semantic_model"}
_PICKABLE = ("model", "seed", "snapshot", "test", "unit_test", "source", "exposure")
_PLACES = {"model": 0, "seed": 1, "snapshot": 2, "source": 3, "exposure": 4, "test": 5, "unit_test": 6}


def selector_of(node: ProjectNode) -> str:
    """What selects exactly this node, in dbt's syntax: most go by name, sources and exposures by their method."""
    method = _METHODS.get(node.resource_type)
    if method is None:
        return node.name
    return f"{method}:{'.'.join(node.unique_id.split('.')[2:])}" if method == "source" else f"{method}:{node.name}"


def join(nodes: Sequence[ProjectNode], *, before: bool, after: bool, tags: Sequence[str], typed: str) -> list[str]:
    """One list of selectors, each once, in the order picked, tags, typed."""
    picked = [f"{'+' if before else ''}{selector_of(node)}{'+' if after else ''}" for node in nodes]
    return list(dict.fromkeys([*picked, *(f"tag:{tag}" for tag in tags), *typed.split()]))


def node_picker(nodes: Sequence[ProjectNode], *, key: str, label: str, help_typed: str) -> list[str]:
    """Draw the three ways to choose, and return what was chosen."""
    by_label = {_label(node): node for node in _sorted(nodes)}
    picked = st.multiselect(
        label, list(by_label), key=f"{key}_nodes", placeholder="All nodes" if key.startswith("select") else "None"
    )
    before = after = False
    if picked:
        with st.container(horizontal=True):
            before = st.checkbox("with everything before (`+node`)", key=f"{key}_before")
            after = st.checkbox("with everything after (`node+`)", key=f"{key}_after")
    left, right = st.columns(2)
    tags = sorted({tag for node in nodes for tag in node.tags})
    chosen_tags = left.multiselect(
        "Tags", tags, key=f"{key}_tags", disabled=not tags, placeholder="Any" if tags else "No tags here"
    )
    typed = right.text_input(
        "dbt selectors", key=f"{key}_typed", help=help_typed, placeholder="stg_orders+ path:models/marts"
    )
    return join([by_label[name] for name in picked], before=before, after=after, tags=chosen_tags, typed=typed or "")


def _sorted(nodes: Sequence[ProjectNode]) -> list[ProjectNode]:
    pickable = [node for node in nodes if node.resource_type in _PICKABLE]
    return sorted(pickable, key=lambda node: (_PLACES[node.resource_type], node.name))


def _label(node: ProjectNode) -> str:
    name = ".".join(node.unique_id.split(".")[2:]) if node.resource_type == "source" else node.name
    return f"{name} ({node.resource_type.replace('_', ' ')})"
