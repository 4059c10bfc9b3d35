"""Which runs of ours belong to a cluster in Google: the one that it was made for, and those that are on it now."""

from sqlmodel import col, select

from contracts.gke.names import PROJECT_LABEL, RUN_LABEL, ClusterAddress, cluster_of
from contracts.names import dag_id_of, run_label_of
from contracts.operators import OperatorName
from models.google import GoogleCluster
from models.run import Run
from services.database import session

_LOOK_AT = 500
"""Runs of a project among which the cluster's is looked for: a cluster lives for hours."""


def run_of(cluster: GoogleCluster) -> Run | None:
    """The run that a cluster was made for, as far as this console knows it."""
    label, project = cluster.labels.get(RUN_LABEL), cluster.labels.get(PROJECT_LABEL)
    if not label or not project:
        return None
    with session() as opened:
        newest = select(Run).where(Run.dag_id == dag_id_of(project)).order_by(col(Run.id).desc()).limit(_LOOK_AT)
        return next((run for run in opened.exec(newest) if run_label_of(run.dag_id, run.dag_run_id) == label), None)


def runs_on(address: ClusterAddress) -> list[Run]:
    """The runs on a cluster that are not over."""
    with session() as opened:
        of_gke = opened.exec(select(Run).where(Run.operator == OperatorName.GKE, col(Run.collected).is_(False)))
        return [run for run in of_gke if not run.state.is_terminal and run_address(run) == address]


def run_address(run: Run) -> ClusterAddress | None:
    """The cluster in Google that a run's conf means."""
    parameters = run.conf.get("operator_parameters", {})
    return cluster_of(parameters, project=run.project, dag_id=run.dag_id, dag_run_id=run.dag_run_id)
