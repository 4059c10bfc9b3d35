"""Choosing a cluster that is known, instead of typing where it is: for the operators that run pods."""

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from contracts.gke.names import RUN_LABEL
from contracts.operators import OperatorName
from services import clusters
from services import google as gke


def cluster_picker(
    bar: DeltaGenerator, operator: OperatorName, *, key: str, use: Callable[[dict[str, Any]], None]
) -> None:
    """Draw the known clusters in a popover of the bar; `use` gets the parameters of the one that is chosen."""
    if not operator.runs_in_pods:
        return
    with bar.popover("Clusters", icon=":material/hub:", key=f"{key}_clusters"):
        known = known_clusters(operator)
        if not known:
            st.caption("No cluster is known yet: the page Clusters registers them, and lists those in Google.")
            return
        name = st.selectbox("Known cluster", list(known), key=f"{key}_known_cluster")
        if st.button("Use it", icon=":material/check:", type="primary", key=f"{key}_use_cluster"):
            use(known[name])
            st.rerun()


def known_clusters(operator: OperatorName) -> dict[str, dict[str, Any]]:
    """What the parameters are called that lead to each known cluster, by a name for people."""
    if operator is OperatorName.KUBERNETES:
        return {each.name: {"cluster": each.name} for each in clusters.clusters()}
    stay = [each for each in gke.clusters() if RUN_LABEL not in each.labels]
    return {f"{each.name} · {each.location} · {each.project_id}": _parameters(each) for each in stay}


def _parameters(cluster: gke.GoogleCluster) -> dict[str, Any]:
    return {
        "project_id": cluster.project_id,
        "location": cluster.location,
        "cluster_name": cluster.name,
        "cluster_mode": "existing",
        "use_dns_endpoint": bool(cluster.access.get("dns")) and not cluster.access.get("public"),
        "use_internal_ip": False,
    }
