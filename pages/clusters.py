"""The clusters that the console knows: do they answer, what of ours is there, and what was left over."""

import streamlit as st

from services import clusters
from services.rights import WHOM_TO_ASK, WHY_NOT, may_change_clusters
from services.ui import shell
from services.ui.cluster_card import cluster_card, register_form

shell.require()

title, button = st.columns([3, 1], vertical_alignment="center")
title.title("Clusters", anchor=False)
with button.container(horizontal_alignment="right"):
    may_change = may_change_clusters(shell.current_user())
    if st.button("Register a cluster", type="primary", icon=":material/add:", disabled=not may_change):
        register_form()
if not may_change:
    st.caption(f":material/lock: {WHY_NOT} {WHOM_TO_ASK}")

known = clusters.clusters()
if not known:
    st.info(
        "No cluster is registered. The console needs one to follow the pods of Kubernetes runs by itself; "
        "reading pods, their logs and events is all the right it needs.",
        icon=":material/hub:",
    )
for cluster in known:
    cluster_card(cluster)
