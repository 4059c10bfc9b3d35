"""The GKE operator: described so that it can be weighed, refused until this version can run it."""

from contracts.operators import OperatorName
from models.project import Project
from services.operators.base import Advice, Check


class GkeOperator:
    """A pod per run on a Google Kubernetes Engine cluster, made for the run if wanted."""

    name = OperatorName.GKE
    label = "GKE"
    icon = ":material/cloud:"
    description = "Each run is a pod on a Google Kubernetes Engine cluster, which can be made for the run and deleted."
    advice = Advice(
        choose_when="Rare, heavy runs on Google Cloud, where a cluster that stands idle would cost more than waiting.",
        start_up="As Kubernetes on a cluster that exists; several minutes when the cluster is made first.",
        isolation="The strongest: own container, and if wanted own nodes and own cluster.",
        resources="Machine type, number of nodes, CPU and memory are chosen per project.",
        cost="Google's price for nodes and control plane while they exist; nothing in between.",
    )
    parameters = None
    available = False

    def preflight(self, project: Project) -> list[Check]:  # noqa: ARG002
        """Refuse, with the reason."""
        return [
            Check(
                "GKE operator",
                False,
                "This version of Pilothouse cannot run projects on GKE yet.",
                "Everything up to here is kept. Edit the project and choose the dbt API to publish it now.",
            )
        ]
