"""The pod tab of a run's page: where dbt ran, what it was given, and the pod's story."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from models.cluster import Pod
from models.run import Invocation, Run
from services import clusters, health
from services.ui.words import ago, between, duration, moment, plain


def run_pod(run: Run, invocations: Sequence[Invocation]) -> None:
    """Draw the pod of every try, the last one first."""
    pods = [(one, clusters.pod_of(one.id)) for one in reversed(invocations) if one.id is not None]
    if not any(pod for _, pod in pods):
        _nothing(run)
    for invocation, pod in pods:
        if pod:
            if len(pods) > 1:
                st.markdown(f"**Try {invocation.try_number}**")
            _draw(pod)


def airflow_log_notice(run: Run, invocation: Invocation) -> None:
    """Say so when the log is not the pod's own."""
    if invocation.log_from_airflow and not invocation.log_end_missing:
        st.caption(
            ":material/info: The cluster could not be asked for all of the pod's log: this one is completed from "
            "Airflow's task log, which comes later."
        )
    name = clusters.cluster_of_run(run)
    if name and not run.state.is_terminal:
        row = health.of_system(clusters.system_of(name))
        if not row.reachable and row.last_good_at:
            told = f"**Cluster {plain(name)} doesn't answer** (last heard of {ago(row.last_good_at)}). "
            st.warning(f"{told}{plain(row.message)}", icon=":material/sync_problem:")


def _nothing(run: Run) -> None:
    parameters = run.conf.get("operator_parameters", {})
    if clusters.cluster_of_run(run):
        told = "No pod of this run has been seen on the cluster: none was made, it ended in a moment, or the console "
        namespace = plain(parameters.get("namespace") or "default")
        st.info(f"{told}may not read pods in the namespace {namespace}.", icon=":material/deployed_code:")
    else:
        told = "The project names no cluster of the console's: only Airflow knows the pod."
        st.info(told, icon=":material/deployed_code:")


def _draw(pod: Pod) -> None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        rows = {
            "Pod": _code(f"{pod.namespace}/{pod.name}"),
            "Cluster": plain(pod.cluster),
            "Node": plain(pod.node or "none yet"),
            "Phase": pod.phase + (f", gone since {moment(pod.gone_at)}" if pod.gone_at else ""),
            "Image": _code(pod.image),
            "Digest": _code(pod.image_digest.rpartition("@")[2]) if pod.image_digest else "not pulled yet",
            "Requested": _quantities(pod.requests),
            "Limited to": _quantities(pod.limits),
        }
        for name, value in rows.items():
            label, text = st.columns([1, 3])
            label.caption(name)
            text.markdown(value)
    with right:
        _steps(pod)
    with st.expander("Manifest", icon=":material/data_object:"):
        st.caption("As the cluster has it; values of variables are hidden.")
        st.json(pod.spec)


def _code(text: str) -> str:
    """Within backticks Markdown takes every letter as it is, but for the backtick."""
    return f"`{text.replace('`', '')}`"


def _quantities(found: dict[str, str]) -> str:
    return ", ".join(f"{plain(name)} {plain(value)}" for name, value in found.items()) or "nothing"


def _steps(pod: Pod) -> None:
    before: datetime | None = None
    for step in pod.steps:
        at = datetime.fromisoformat(step["at"]) if step["at"] else None
        took = f" · {duration(between(before, at))} later" if before and at and at > before else ""
        icon = ":material/warning:" if step["is_warning"] else ":material/check_small:"
        text = f"  \n:small[{plain(step['text'])}]" if step["text"] else ""
        st.markdown(f"{icon} **{plain(step['title'])}** :small[:gray[{moment(at)}{took}]]{text}")
        before = at or before
