"""Projects on GKE for tests: Google's control plane is the stand-in of tests/google, its clusters are a real one."""

from typing import Any

from contracts.gke.names import cluster_of
from contracts.operators import OperatorName
from models.project import StepState
from models.run import Run
from services import projects
from services.projects import ProjectDraft
from stack.places import ROOT
from tests.cluster.access import Cluster
from tests.google.stand_in import GoogleStandIn

LOCATION = "europe-west1"


def parameters(google: GoogleStandIn, cluster: Cluster, **changes: Any) -> dict[str, Any]:
    """The GKE operator's, for small pods of the example project; `changes` go over them."""
    return {
        "project_id": google.project,
        "location": LOCATION,
        "image": cluster.images.dbt_example,
        "image_pull_policy": cluster.images.pull_policy,
        "cpu_request": "50m",
        "memory_request": "64Mi",
        "grace_period_seconds": 30,
        **changes,
    }


def publish(name: str, operator_parameters: dict[str, Any]) -> str:
    """A project of the example's files on GKE, through all its steps until Airflow knows it."""
    draft = ProjectDraft(
        name=name,
        owner="ann",
        source={"kind": "folder", "path": str(ROOT / "example")},
        operator=OperatorName.GKE,
        operator_parameters=operator_parameters,
    )
    projects.create(draft, by="ann")
    for _ in projects.advance(name):
        pass
    steps = projects.steps_of(projects.get_project(name))
    assert all(step.state is StepState.DONE for step in steps), [(one.step, one.message) for one in steps]
    return name


def cluster_name(run: Run) -> str:
    """The full name, as Google has it, of the cluster that a run is on."""
    address = cluster_of(
        run.conf["operator_parameters"], project=run.project, dag_id=run.dag_id, dag_run_id=run.dag_run_id
    )
    assert address
    return f"projects/{address.project_id}/locations/{address.location}/clusters/{address.name}"
