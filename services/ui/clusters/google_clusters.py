"""The Google part of the clusters page: each project's state, what is under way, all clusters, one in detail.

It reads the store only; Google is asked by the collector, or when somebody presses Refresh.
"""

import streamlit as st

from contracts.gke.names import RUN_LABEL, ClusterAddress
from models.system import SystemHealth
from services import google as gke
from services.google import GoogleCluster
from services.google.words import endpoint_words, pool_words, status_style
from services.rights import may_change_clusters
from services.ui import errors
from services.ui.clusters.google_cluster import cluster_details
from services.ui.clusters.google_operations import operation_history, operations_under_way
from services.ui.shell import current_user
from services.ui.words import ago, count, moment, plain

_SET_UP = (
    "**No Google project is configured.** Set `PILOTHOUSE_GOOGLE_PROJECTS` to the ids of the Google projects whose "
    "clusters should be listed here, separated by commas, for console and collector; those that projects on GKE name "
    "are listed too. Credentials are Google's "
    "Application Default Credentials, or the key file of `PILOTHOUSE_GOOGLE_KEY_FILE`."
)
_NONE = (
    "**No cluster yet.** Create one that stays, here; or let a project with the operator GKE have one made for each "
    "run."
)


def google_clusters() -> None:
    """Draw it all."""
    states = gke.project_states()
    if not states:
        st.info(_SET_UP, icon=":material/cloud:")
        return
    _buttons()
    for project, state in states:
        _project_state(project, state)
    operations_under_way()
    address = ClusterAddress.of_path(st.query_params.get("cluster", ""))
    st.fragment(_table, run_every="10s")(address, _status(address))
    if address:
        cluster_details(address)
    operation_history()


def _buttons() -> None:
    may_change = may_change_clusters(current_user())
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Refresh", icon=":material/refresh:", help="Ask Google now. The collector does it by itself too."):
            with errors.guarded(), st.spinner("Asking Google…"):
                gke.refresh()
                st.rerun()
        if st.button("Create a cluster", type="primary", icon=":material/add:", disabled=not may_change):
            st.switch_page("pages/new_cluster.py")


def _project_state(project: str, state: SystemHealth) -> None:
    if state.reachable:
        told = f":material/check_circle: **{plain(project)}**, listed {ago(state.checked_at)}. {plain(state.message)}"
        st.caption(told)
    elif not state.message or state.message == "Not heard of yet.":
        st.info(
            f"**{plain(project)}** has not been listed yet. The collector does so while it runs; or press Refresh.",
            icon=":material/hourglass_empty:",
        )
    else:
        message, _, hint = state.message.partition("\n")
        known = f" What is below was listed {ago(state.last_good_at)}." if state.last_good_at else ""
        text = f"**{plain(project)} can't be listed.** {plain(message.rstrip('.'))}.{known}"
        st.error(f"{text}  \n:small[{plain(hint)}]" if hint else text, icon=":material/cloud_off:")


def _status(address: ClusterAddress | None) -> str | None:
    """Google's word for the cluster in detail; None when there is none."""
    cluster = gke.cluster_at(address) if address else None
    return cluster.status if cluster else None


def _table(detailed: ClusterAddress | None, status: str | None) -> None:
    """Draw all clusters; the page is drawn anew when the one in detail is not what it was."""
    if _status(detailed) != status:
        st.rerun()
    clusters = gke.clusters()
    if not clusters:
        if any(state.last_good_at for _, state in gke.project_states()):
            st.info(_NONE, icon=":material/cloud_queue:")
        return
    of_runs = sum(RUN_LABEL in each.labels for each in clusters)
    st.caption(
        f"{count(len(clusters), 'cluster')}, {of_runs or 'none'} of them made for a run. Choose one for details."
    )
    chosen = st.dataframe(
        [_row(each) for each in clusters],
        hide_index=True,
        height="content",
        key="google_clusters",
        on_select="rerun",
        selection_mode="single-row",
        alt="Clusters in Google",
    )
    rows = chosen.selection.rows
    if rows and clusters[rows[0]].address.path != st.query_params.get("cluster"):
        st.query_params["cluster"] = clusters[rows[0]].address.path
        st.rerun()


def _row(cluster: GoogleCluster) -> dict[str, object]:
    style = status_style(cluster.status)
    run = gke.run_of(cluster)
    return {
        "Cluster": cluster.name,
        "State": f"{style.glyph} {style.word}",
        "Made for": f"run {run.id}" if run else "",
        "Created": ago(cluster.created_at),
        "Deleted at the latest": moment(cluster.expires_at) if cluster.expires_at else "stays",
        "Location": cluster.location,
        "Mode": "Autopilot" if cluster.is_autopilot else "Standard",
        "Nodes": cluster.node_count,
        "Pools": pool_words(cluster.node_pools),
        "Endpoint": endpoint_words(cluster),
        "Version": cluster.version,
        "Channel": cluster.release_channel,
        "Project": cluster.project_id,
        "Labels": ", ".join(f"{key}={value}" for key, value in cluster.labels.items()),
    }
