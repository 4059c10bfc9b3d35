"""What Google, here its stand-in, is asked before a project on GKE is published."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contracts.operators import OperatorName
from models.project import Project
from services.operators import Check, operator
from services.settings import settings

if TYPE_CHECKING:
    from tests.google.stand_in import GoogleStandIn

CLOSED_PORT = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def airflow_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    values = {"DATA": str(tmp_path / "data"), "AIRFLOW_URL": CLOSED_PORT, "AIRFLOW_PASSWORD": "unused"}
    for name, value in values.items():
        monkeypatch.setenv(f"PILOTHOUSE_{name}", value)
    settings.cache_clear()
    yield
    settings.cache_clear()


def checks(google: "GoogleStandIn", **parameters: Any) -> dict[str, Check]:
    where = {"project_id": google.project, "location": "europe-west1", **parameters}
    project = Project(
        name="shop", owner="anna", source={}, operator=OperatorName.GKE, operator_parameters=where, created_by="anna"
    )
    return {check.title: check for check in operator(OperatorName.GKE).preflight(project)}


def test_a_cluster_that_is_made_for_each_run_needs_the_right_to_make_it(google: "GoogleStandIn") -> None:
    found = checks(google, cluster_mode="ephemeral")
    assert found["Google credentials"].passed
    assert found["Rights in Google"].passed
    assert "makes an Autopilot cluster in europe-west1" in found["Cluster"].message
    assert "at the latest after 6 hours" in found["Cluster"].message
    google.plane.deny("container.clusters.create")
    refused = checks(google, cluster_mode="ephemeral")["Rights in Google"]
    assert refused.passed is False
    assert "container.clusters.create" in refused.message
    assert refused.hint
    assert checks(google, cluster_name="dbt")["Rights in Google"].passed, "one that exists needs no such right"


def test_what_a_new_cluster_cannot_have_is_told(google: "GoogleStandIn") -> None:
    secret = {"DBT_ENV_SECRET_PASSWORD": {"secret": "warehouse", "key": "password"}}
    check = checks(google, cluster_mode="ephemeral", secret_env=secret)["Objects on the cluster"]
    assert check.passed is False
    assert "Secret warehouse" in check.message


def test_a_cluster_that_is_not_there_is_told_in_googles_words_and_not_twice(
    google: "GoogleStandIn",
) -> None:
    found = checks(google, cluster_name="dbt")
    assert found["Cluster in Google"].passed is False
    assert "projects/pilothouse-test/locations/europe-west1/clusters/dbt" in found["Cluster in Google"].message
    assert "Namespace" not in found


def test_what_only_airflow_can_see_is_said(google: "GoogleStandIn") -> None:
    account = "dbt@pilothouse-test.iam.gserviceaccount.com"
    check = checks(google, cluster_mode="ephemeral", impersonation_chain=[account])["Airflow's way to Google"]
    assert check.passed is None
    assert f"google_cloud_default' when a run starts and acts as {account}" in check.message
