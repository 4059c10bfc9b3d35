"""The Kubernetes operator: described so that it can be weighed, refused until this version can run it."""

from contracts.operators import OperatorName
from models.project import Project
from services.operators.base import Advice, Check


class KubernetesOperator:
    """A pod per run on a cluster that exists."""

    name = OperatorName.KUBERNETES
    label = "Kubernetes"
    icon = ":material/deployed_code:"
    description = "Each run is a pod of its own on a Kubernetes cluster that you already have."
    advice = Advice(
        choose_when="Runs that need their own image, dbt version, memory limits or network, on a cluster you run.",
        start_up="Some seconds to a minute: the pod is scheduled and its image pulled, then dbt starts cold.",
        isolation="Strong: own container, own image, own service account for every run.",
        resources="CPU and memory requested and limited per project and per run.",
        cost="What the pods request while they run, on nodes that are paid for anyway.",
    )
    parameters = None
    available = False

    def preflight(self, project: Project) -> list[Check]:  # noqa: ARG002
        """Refuse, with the reason."""
        return [
            Check(
                "Kubernetes operator",
                False,
                "This version of Pilothouse cannot run projects on Kubernetes yet.",
                "Everything up to here is kept. Edit the project and choose the dbt API to publish it now.",
            )
        ]
