"""A registered cluster: its health, our pods on it, their last log lines, and deleting what was left over."""

import streamlit as st

from models.types import now
from services import clusters, health
from services.clusters import Cluster, OurPod, OurPods
from services.rights import may_change_clusters
from services.ui import errors
from services.ui.shell import current_user
from services.ui.words import ago, count, plain

_LOG_LINES = 200
_STATE_COLOURS = {"running": "blue", "pending": "orange", "failed": "red", "succeeded": "green", "left over": "gray"}


def cluster_card(cluster: Cluster) -> None:
    """Draw one cluster and its pods, again every few seconds."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.header(plain(cluster.name), anchor=False, width="content")
            _health(cluster)
            st.space("stretch")
            if may_change_clusters(current_user()) and st.button(
                "Remove from the list", icon=":material/link_off:", key=f"forget_{cluster.name}"
            ):
                _confirm_forget(cluster)
        st.caption(f"Signs in with {plain(cluster.kubeconfig or 'the service account of its own pod')}")
        st.fragment(_pods, run_every="5s")(cluster)


def _health(cluster: Cluster) -> None:
    row = health.of_system(clusters.system_of(cluster.name))
    if row.reachable and now() - row.checked_at > health.SILENCE:
        st.badge("Not checked", icon=":material/help:", color="gray")
        told = f"{plain(row.version or '')}, last checked {ago(row.checked_at)}: the collector may not be running"
        st.caption(told, width="content")
    elif row.reachable:
        st.badge("Up", icon=":material/check_circle:", color="green")
        st.caption(f"{plain(row.version or '')}, checked {ago(row.checked_at)}", width="content")
    else:
        st.badge("Down" if row.last_good_at else "Not heard of yet", icon=":material/error:", color="red")
        st.caption(plain(row.message), width="content")


def _pods(cluster: Cluster) -> None:
    if (ours := clusters.known_pods(cluster.name)) is None:
        st.caption("The collector has not looked for our pods there yet.")
        return
    say_what_is_hidden(ours)
    if not (found := ours.pods):
        return
    st.caption(f"{count(len(found), 'pod')} of ours, seen {ago(ours.taken_at)}. Choose one for its log.")
    chosen = st.dataframe(
        [_row(pod) for pod in found],
        hide_index=True,
        height="content",
        key=f"pods_{cluster.name}",
        on_select="rerun",
        selection_mode="single-row",
        alt="Pods of Pilothouse on this cluster",
    )
    if rows := chosen.selection.rows:
        _chosen_pod(cluster, found[rows[0]])


def say_what_is_hidden(ours: OurPods) -> None:
    """Say of which namespaces nothing is known; with all known and no pod there, that there is none."""
    if ours.hidden:
        where = plain(", ".join(ours.hidden))
        told = f"The console may not read pods in {where}: apply deploy/kubernetes/console-rbac.yaml there."
        st.caption(f":material/visibility_off: {told}")
    elif not ours.pods:
        st.caption(f"No pod of ours was there {ago(ours.taken_at)}.")


def _row(pod: OurPod) -> dict[str, object]:
    return {
        "State": pod.state,
        "Namespace": pod.summary.namespace,
        "Pod": pod.summary.name,
        "Run": pod.run_id,
        "Node": pod.summary.node or "",
        "Created": ago(pod.summary.created_at),
    }


def _chosen_pod(cluster: Cluster, pod: OurPod) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(pod.state, color=_STATE_COLOURS[pod.state])  # type: ignore[arg-type]
        if pod.run_id is not None:
            st.page_link("pages/run.py", label=f"Run {pod.run_id}", query_params={"run_id": str(pod.run_id)})
        st.space("stretch")
        may_delete = pod.may_be_deleted and may_change_clusters(current_user())
        if may_delete and st.button("Delete this pod", icon=":material/delete:", key=f"delete_{pod.summary.uid}"):
            _confirm_delete(cluster, pod)
    with errors.guarded():
        st.code(clusters.log_tail(cluster.name, pod.summary, lines=_LOG_LINES) or "Nothing was logged.", language=None)


@st.dialog("Delete this pod?", icon=":material/delete:")
def _confirm_delete(cluster: Cluster, pod: OurPod) -> None:
    st.markdown(f"`{pod.summary.namespace}/{pod.summary.name}` on **{plain(cluster.name)}**: its run is over.")
    st.markdown("Its log and manifest on the cluster go with it; what the console collected stays.")
    if st.button("Delete pod", type="primary", key="confirm_delete"):
        with errors.guarded():
            clusters.delete_left_over(cluster.name, pod.summary, by=current_user())
            st.rerun()


@st.dialog("Remove this cluster from the list?", icon=":material/link_off:")
def _confirm_forget(cluster: Cluster) -> None:
    st.markdown(f"Runs on **{plain(cluster.name)}** are then told by Airflow alone. Nothing on the cluster changes.")
    if st.button("Remove", type="primary", key="confirm_forget"):
        with errors.guarded():
            clusters.forget(cluster.name, by=current_user())
            st.rerun()


@st.dialog("Register a cluster", icon=":material/hub:")
def register_form() -> None:
    """Ask for a name and for how to sign in; the credentials themselves stay where they are."""
    name = st.text_input("Name", key="cluster_name", placeholder="main", help="What projects call it.")
    told = "Path on the console's machine. Empty: the console runs in a pod of this cluster."
    kubeconfig = st.text_input("Kubeconfig", key="cluster_kubeconfig", help=told)
    context = st.text_input("Context", key="cluster_context", help="Empty: the kubeconfig's current one.")
    if st.button("Register", type="primary", key="confirm_register"):
        with errors.guarded():
            cluster = clusters.register(name or "", kubeconfig=kubeconfig, context=context, by=current_user())
            with st.spinner("Asking it for its version…"):
                clusters.ClusterClient(cluster).version()
            st.rerun()
