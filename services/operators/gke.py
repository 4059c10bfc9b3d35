"""The GKE operator: dbt runs in a pod on a cluster in Google, one that exists or one made for the run."""

from contracts.gke.names import ClusterAddress
from contracts.gke.parameters import GkeParameters
from contracts.operators import OperatorName
from models.project import Project
from services.operators._checks import airflow_checks
from services.operators._google import google_checks
from services.operators._pods import pod_checks, references
from services.operators.base import Advice, Check


class GkeOperator:
    """A pod per run on a Google Kubernetes Engine cluster, made for the run if wanted."""

    name = OperatorName.GKE
    label = "GKE"
    icon = ":material/cloud:"
    description = "Each run is a pod on a Google Kubernetes Engine cluster, which can be made for the run and deleted."
    advice = Advice(
        choose_when="Projects whose home is Google Cloud, and rare, heavy runs for which a cluster that stands idle "
        "would cost more than waiting.",
        google="Seamless: Google's IAM says who may, with workload identity or impersonation; no kubeconfig, no keys.",
        clusters="The freest: any cluster of any project and region, chosen per run, or one made for the run only.",
        resources="The fullest: CPU, memory and disk of the pod, and with a cluster of its own the machines too.",
        start_up="As Kubernetes on a cluster that exists; five to ten minutes more when the cluster is made first.",
        isolation="The strongest: own container, and if wanted own nodes and own cluster.",
        cost="Google's price for nodes and control plane while they exist; nothing in between.",
    )
    parameters = GkeParameters

    def preflight(self, project: Project) -> list[Check]:
        """Google about credentials, rights and the cluster; the cluster about the pod; Airflow about the pool."""
        parameters = GkeParameters.model_validate(project.operator_parameters)
        return [*_of_google(parameters), *airflow_checks(project), _connection(parameters)]


def _of_google(parameters: GkeParameters) -> list[Check]:
    if parameters.is_ephemeral:
        found = google_checks(parameters.project_id, None, makes_clusters=True)
        return [*found, _made_for_each_run(parameters), *_objects(parameters)]
    address = ClusterAddress(parameters.project_id, parameters.location, parameters.cluster_name or "")
    found = google_checks(parameters.project_id, address, makes_clusters=False)
    answers = all(check.passed is not False for check in found)
    return [*found, *(pod_checks(address.path, parameters) if answers else [])]


def _made_for_each_run(parameters: GkeParameters) -> Check:
    spec = parameters.spec("any")
    nodes = "an Autopilot cluster" if parameters.makes_autopilot else f"a cluster of {spec.machine_type}"
    hours = f"{parameters.time_to_live_minutes / 60:g} hours"
    told = f"Every run makes {nodes} in {spec.location} and deletes it after its tasks, at the latest after {hours}."
    return Check("Cluster", None, told)


def _objects(parameters: GkeParameters) -> list[Check]:
    """A new cluster has none of ours."""
    wanted = ", ".join(references(parameters))
    if not wanted:
        return []
    told = f"A cluster that is made for a run has none of these, and the pod would not start: {wanted}."
    hint = (
        "Let pods act as a Google service account (workload identity, or the nodes' own), or use a cluster that exists."
    )
    return [Check("Objects on the cluster", False, told, hint)]


def _connection(parameters: GkeParameters) -> Check:
    """Only Airflow itself can see this."""
    told = f"Airflow looks up its connection '{parameters.gcp_conn_id}' when a run starts"
    if parameters.impersonation_chain:
        told += f" and acts as {parameters.impersonation_chain[-1]}"
    return Check("Airflow's way to Google", None, f"{told}.")
