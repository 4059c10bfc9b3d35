"""One cluster in Google in detail, with the run that it belongs to, our pods on it, and its deletion."""

import streamlit as st

from contracts.gke.names import ClusterAddress
from models.types import now
from services import google as gke
from services.clusters import ClusterClient, get_cluster, our_pods
from services.google import GoogleCluster
from services.google.words import cost_hint, get_credentials_command, status_style
from services.rights import may_change_clusters
from services.ui import errors
from services.ui.clusters.cluster_card import say_what_is_hidden
from services.ui.shell import current_user
from services.ui.words import NOTHING, ago, listed, moment, plain


def cluster_details(address: ClusterAddress) -> None:
    """Draw it; one that is not listed any more says so."""
    cluster = gke.cluster_at(address)
    with st.container(border=True):
        if cluster is None:
            st.caption(f"{plain(address.path)} is not listed (any more).")
            return
        _head(cluster)
        _facts(cluster)
        _pools(cluster)
        st.caption(cost_hint(cluster, now=now()))
        st.code(get_credentials_command(cluster), language=None, wrap_lines=True)
        _pods(cluster)


def _head(cluster: GoogleCluster) -> None:
    style = status_style(cluster.status)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(plain(cluster.name), anchor=False, width="content")
        st.badge(style.word, icon=style.icon, color=style.colour)  # type: ignore[arg-type]
        mode = "Autopilot" if cluster.is_autopilot else "Standard"
        st.caption(
            listed([mode, cluster.location, cluster.project_id, f"seen {ago(cluster.seen_at)}"]), width="content"
        )
        st.space("stretch")
        if may_change_clusters(current_user()) and st.button("Delete", icon=":material/delete:", key="delete_cluster"):
            _confirm_delete(cluster)
    if cluster.status_message:
        st.warning(plain(cluster.status_message), icon=":material/warning:")
    _for_run(cluster)


def _for_run(cluster: GoogleCluster) -> None:
    if cluster.expires_at is None:
        return
    run = gke.run_of(cluster)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if run and run.id is not None:
            st.page_link("pages/run.py", label=f"Made for run {run.id}", query_params={"run_id": str(run.id)})
        else:
            st.caption("Made for a run that this console does not know.", width="content")
        until = "its time is over" if cluster.expires_at <= now() else "deleted at the latest"
        st.caption(f"Since {moment(cluster.created_at)}, {until}: {moment(cluster.expires_at)}", width="content")


def _facts(cluster: GoogleCluster) -> None:
    network, access = cluster.network, cluster.access
    allowed = access.get("authorised")
    public = access.get("public")
    open_to = "everybody" if allowed is None else ", ".join(allowed) or "nobody"
    left, right = st.columns(2)
    left.markdown(
        _list(
            Version=cluster.version,
            Channel=cluster.release_channel or "none",
            Created=moment(cluster.created_at),
            Nodes=str(cluster.node_count),
            Labels=", ".join(f"{key}={value}" for key, value in cluster.labels.items()),
            Workload_identity=network.get("workload_pool"),
        )
    )
    right.markdown(
        _list(
            DNS_endpoint=access.get("dns"),
            Public_endpoint=f"{public}, open to {open_to}" if public else "none",
            Private_endpoint=access.get("private"),
            Network=listed([str(network.get("network") or ""), str(network.get("subnetwork") or "")]),
            Ranges=listed(f"{what} {network[what]}" for what in ("pods", "services") if network.get(what)),
            Private_nodes="yes" if network.get("private_nodes") else "no",
        )
    )


def _list(**facts: str | None) -> str:
    return "\n".join(
        f"- {name.replace('_', ' ')}: {plain(str(value)) if value else NOTHING}" for name, value in facts.items()
    )


def _pools(cluster: GoogleCluster) -> None:
    if cluster.node_pools:
        st.dataframe(
            [_pool_row(each) for each in cluster.node_pools],
            hide_index=True,
            height="content",
            alt=f"Node pools of {cluster.name}",
        )


def _pool_row(pool: dict[str, object]) -> dict[str, object]:
    limits = pool["autoscaling"]
    return {
        "Pool": pool["name"],
        "State": str(pool["status"]).capitalize(),
        "Machine type": pool["machine_type"],
        "Spot": "yes" if pool["spot"] else "no",
        "Disk": pool["disk"],
        "Nodes at first, a zone": pool["initial"],
        "Autoscaling, a zone": f"{limits[0]} to {limits[1]}" if isinstance(limits, list) else "off",
    }


def _pods(cluster: GoogleCluster) -> None:
    """Ask the cluster itself, when somebody wants to know: it may be out of this machine's reach."""
    with st.container(horizontal=True):
        reach = st.button("Can the console reach it?", icon=":material/lan:", key="reach_cluster")
        look = st.button("Look at our pods on it", icon=":material/deployed_code:", key="look_at_pods")
    path = cluster.address.path
    with errors.guarded():
        if reach:
            with st.spinner("Asking it for its version…"):
                version = ClusterClient(get_cluster(path)).version()
            st.success(f"Yes: its Kubernetes API answers, version {plain(version)}.", icon=":material/check_circle:")
        if look:
            with st.spinner("Asking it…"):
                ours = our_pods(path)
            say_what_is_hidden(ours)
            for pod in ours.pods:
                run = f"run {pod.run_id}" if pod.run_id else "no run of this console"
                st.markdown(f"- `{pod.summary.namespace}/{pod.summary.name}`: {pod.state}, {run}")


@st.dialog("Delete this cluster?", icon=":material/delete:")
def _confirm_delete(cluster: GoogleCluster) -> None:
    st.markdown(
        f"**{plain(cluster.name)}** in {plain(cluster.location)} of {plain(cluster.project_id)} is deleted with all "
        "that is on it: nodes, pods, volumes that belong to it. It cannot be brought back."
    )
    running = gke.runs_on(cluster.address)
    if running:
        names = ", ".join(f"run {run.id}" for run in running)
        st.warning(f"Under way on it: {names}. They fail when it goes.", icon=":material/warning:")
    label = "Type the cluster's name to delete it"
    typed = st.text_input(label, key="typed_cluster_name", placeholder=cluster.name)
    if st.button("Delete cluster", type="primary", key="confirm_delete_cluster"):
        with errors.guarded():
            with st.spinner("Asking Google…"):
                gke.delete(cluster.address, typed=typed or "", by=current_user())
            st.rerun()
