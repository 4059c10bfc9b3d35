"""Parameters of the GKE operator: what is refused, beside which field, and how Airflow gets to the cluster."""

from typing import Any

import pytest
from pydantic import ValidationError

from contracts.gke.parameters import GkeParameters
from contracts.pods import OnFinish

EXISTING = {"project_id": "harbour-prod", "location": "europe-west1", "cluster_name": "dbt"}
EPHEMERAL = {"project_id": "harbour-prod", "location": "europe-west1", "cluster_mode": "ephemeral"}
STANDARD = {"mode": "standard", "authorised_networks": ["10.0.0.0/8"]}


@pytest.mark.parametrize(
    ("parameters", "field", "words"),
    [
        ({**EXISTING, "project_id": "Harbour production"}, "project_id", "6 to 30"),
        ({**EXISTING, "location": "Belgium"}, "location", "such as europe-west1"),
        ({**EXISTING, "cluster_name": "My cluster"}, "cluster_name", "beginning with a letter"),
        ({**EXISTING, "cluster_name": None}, "cluster_name", "or choose ephemeral"),
        ({**EXISTING, "impersonation_chain": ["ann@example.com"]}, "impersonation_chain", "gserviceaccount"),
        ({**EXISTING, "gcp_conn_id": "7"}, "gcp_conn_id", "begin with a letter"),
        ({**EXISTING, "use_dns_endpoint": True, "use_internal_ip": True}, "use_internal_ip", "not by both"),
        ({**EPHEMERAL, "namespace": "dbt"}, "namespace", "namespace default"),
        ({**EPHEMERAL, "new_cluster": {"machine_type": "e2-standard-8"}}, "new_cluster", "autopilot decides it"),
        ({**EPHEMERAL, "new_cluster": {"name": "mine"}}, "new_cluster", "leave out name"),
        ({**EPHEMERAL, "new_cluster": {"nodes": 3}}, "new_cluster", "nodes"),
        ({**EPHEMERAL, "time_to_live_minutes": 5}, "time_to_live_minutes", "30"),
        ({**EXISTING, "name": "1e5"}, "name", "beginning with a letter"),
    ],
)
def test_what_cannot_work_is_refused_beside_its_field(parameters: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        GkeParameters.model_validate(parameters)
    [problem] = refused.value.errors()
    assert problem["loc"][0] == field
    assert words in problem["msg"]


@pytest.mark.parametrize(
    ("parameters", "by_dns"),
    [
        (EXISTING, False),
        ({**EXISTING, "use_dns_endpoint": True}, True),
        (EPHEMERAL, True),
        ({**EPHEMERAL, "use_internal_ip": True}, False),
        ({**EPHEMERAL, "location": "europe-west1-b", "new_cluster": STANDARD}, False),
    ],
)
def test_a_new_cluster_without_a_public_address_is_reached_by_its_name(
    parameters: dict[str, Any], by_dns: bool
) -> None:
    assert GkeParameters.model_validate(parameters).is_reached_by_dns is by_dns


def test_the_old_name_of_what_becomes_of_the_pod_is_taken() -> None:
    asked = {**EXISTING, "is_delete_operator_pod": False}
    assert GkeParameters.model_validate(asked).on_finish_action is OnFinish.KEEP_POD


def test_what_is_said_of_a_new_cluster_does_not_matter_for_one_that_exists() -> None:
    parameters = {**EXISTING, "location": "europe-west1-b", "namespace": "dbt", "new_cluster": {"mode": "autopilot"}}
    assert not GkeParameters.model_validate(parameters).is_ephemeral
