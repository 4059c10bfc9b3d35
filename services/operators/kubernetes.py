"""The Kubernetes operator: dbt runs in a pod of its own on a cluster that exists."""

from contracts.operators import KubernetesParameters, OperatorName
from models.project import Project
from services.operators._checks import airflow_checks
from services.operators._pods import pod_checks
from services.operators.base import Advice, Check


class KubernetesOperator:
    """A pod per run on a cluster that exists."""

    name = OperatorName.KUBERNETES
    label = "Kubernetes"
    icon = ":material/deployed_code:"
    description = "Each run is a pod of its own on a Kubernetes cluster that you already have."
    advice = Advice(
        choose_when="Runs that need their own image, dbt version, memory limits or network, on a cluster you run.",
        google="What you set up on the cluster yourself; the same on any cloud, or on none.",
        clusters="Any cluster that you already have, wherever it is; Pilothouse neither makes nor deletes one.",
        start_up="Some seconds to a minute: the pod is scheduled and its image pulled, then dbt starts cold.",
        isolation="Strong: own container, own image, own service account for every run.",
        resources="CPU and memory requested and limited per project and per run.",
        cost="What the pods request while they run, on nodes that are paid for anyway.",
    )
    parameters = KubernetesParameters

    def preflight(self, project: Project) -> list[Check]:
        """What can be asked before publishing: the cluster about the pod, Airflow about the pool."""
        parameters = KubernetesParameters.model_validate(project.operator_parameters)
        return [*pod_checks(parameters.cluster, parameters), *airflow_checks(project), _connection(parameters)]


def _connection(parameters: KubernetesParameters) -> Check:
    """Only Airflow itself can see this."""
    ways = {
        "in_cluster": "Airflow's worker signs in as the pod that it is.",
        "kubeconfig": f"Airflow's worker reads {parameters.kubeconfig} on its own machine.",
        "airflow": f"Airflow looks up its connection '{parameters.connection_id}' when a run starts.",
    }
    return Check("Airflow's way to the cluster", None, ways[parameters.connection])
