"""The clusters that the console knows, registered ones and those in Google: do they answer, what of ours is there."""

import streamlit as st

from services import clusters
from services.rights import WHOM_TO_ASK, WHY_NOT, may_change_clusters
from services.ui import shell
from services.ui.clusters.cluster_card import cluster_card, register_form
from services.ui.clusters.google_clusters import google_clusters

shell.require()


def registered(*, may_change: bool) -> None:
    """Draw the clusters that somebody registered."""
    with st.container(horizontal_alignment="right"):
        if st.button("Register a cluster", type="primary", icon=":material/add:", disabled=not may_change):
            register_form()
    known = clusters.clusters()
    if not known:
        st.info(
            "No cluster is registered. The console needs one to follow the pods of Kubernetes runs by itself; "
            "reading pods, their logs and events is all the right it needs.",
            icon=":material/hub:",
        )
    for cluster in known:
        cluster_card(cluster)


st.title("Clusters", anchor=False)
allowed = may_change_clusters(shell.current_user())
if not allowed:
    st.caption(f":material/lock: {WHY_NOT} {WHOM_TO_ASK}")
of_register, of_google = st.tabs(["Registered", "Google"], key="tab", bind="query-params")
if of_register.open:
    with of_register:
        registered(may_change=allowed)
if of_google.open:
    with of_google:
        google_clusters()
