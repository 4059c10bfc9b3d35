"""What the provider's GKE operators get from a project and a run, rendered by Airflow itself."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytest.importorskip("airflow.sdk")

from airflow.sdk.exceptions import AirflowException, AirflowFailException

from contracts.gke.names import EXPIRES_LABEL, PROJECT_LABEL, RUN_LABEL, expires_at
from contracts.names import (
    BEGIN_TASK_ID,
    CREATE_CLUSTER_TASK_ID,
    DBT_TASK_ID,
    DELETE_CLUSTER_TASK_ID,
    run_label_of,
)
from contracts.published_project import PublishedProject
from dags.factory import project_dag, project_dags
from dags.gke_operator import see_it_gone, see_it_run

RUN_ID = "scheduled__2026-01-01T00:00:00+00:00"


def project(**parameters: Any) -> PublishedProject:
    where = {"project_id": "harbour-prod", "location": "europe-west1", "cluster_name": "dbt"}
    return PublishedProject.model_validate(
        {
            "name": "harbour_log",
            "operator": "gke",
            "start_date": datetime(2026, 1, 1, tzinfo=UTC),
            "retries": 1,
            "operator_parameters": {**where, **parameters},
        }
    )


def ephemeral(**parameters: Any) -> PublishedProject:
    return project(cluster_mode="ephemeral", cluster_name=None, **parameters)


def rendered(published: PublishedProject, task_id: str = DBT_TASK_ID, **operator_parameters: Any) -> Any:
    dag = project_dag(published)
    task: Any = dag.get_task(task_id)
    params = {**dag.params.dump(), "operator_parameters": operator_parameters}
    task.render_template_fields({"params": params, "run_id": RUN_ID})
    return task


def cluster_asked_for(published: PublishedProject, **operator_parameters: Any) -> Any:
    """The request as the provider's hook builds it."""
    from google.cloud.container_v1.types import Cluster

    return Cluster.from_json(json.dumps(rendered(published, CREATE_CLUSTER_TASK_ID, **operator_parameters).body))


def test_the_pod_goes_where_the_project_says_and_a_run_may_say_otherwise() -> None:
    published = project(impersonation_chain=["dbt@harbour-prod.iam.gserviceaccount.com"], use_internal_ip=True)
    task = rendered(published)
    assert type(task).__name__ == "GKEStartPodOperator"
    assert type(task).__module__.startswith("airflow.providers.google.")
    assert (task.project_id, task.location, task.cluster_name) == ("harbour-prod", "europe-west1", "dbt")
    assert (task.use_internal_ip, task.use_dns_endpoint) == (True, False)
    assert task.impersonation_chain == ["dbt@harbour-prod.iam.gserviceaccount.com"]
    assert task.gcp_conn_id == "google_cloud_default"
    other = rendered(published, location="us-central1-a", cluster_name="spare", use_internal_ip=False, image="a:2")
    assert (other.location, other.cluster_name, other.use_internal_ip) == ("us-central1-a", "spare", False)
    assert other.build_pod_request_obj(dry_run=True).spec.containers[0].image == "a:2"


def test_the_pod_is_the_same_as_on_kubernetes() -> None:
    parameters = {"labels": {"team": "finance"}, "memory_limit": "3Gi", "is_delete_operator_pod": False}
    task = rendered(project(**parameters))
    pod = task.build_pod_request_obj(dry_run=True)
    assert pod.metadata.labels["team"] == "finance"
    assert pod.metadata.labels["pilothouse.dev/run"] == run_label_of("pilothouse__harbour_log", RUN_ID)
    assert pod.spec.containers[0].resources.limits == {"memory": "3Gi"}
    assert task.on_finish_action.value == "keep_pod"


def test_a_cluster_for_one_run_is_named_after_it_and_says_whose_it_is_and_until_when() -> None:
    published = ephemeral(time_to_live_minutes=90, new_cluster={"labels": {"team": "finance"}})
    asked = cluster_asked_for(published)
    label = run_label_of("pilothouse__harbour_log", RUN_ID)
    assert asked.autopilot.enabled
    assert asked.name == f"ph-harbour-log-{label[:10]}"
    labels = dict(asked.resource_labels)
    assert (labels[RUN_LABEL], labels[PROJECT_LABEL], labels["team"]) == (label, "harbour_log", "finance")
    assert labels[EXPIRES_LABEL].isdigit()
    left = (expires_at(labels) or datetime.now(UTC)) - datetime.now(UTC)
    assert timedelta(minutes=89) < left <= timedelta(minutes=90)
    dbt, delete = rendered(published), rendered(published, DELETE_CLUSTER_TASK_ID)
    assert dbt.cluster_name == delete.cluster_name == asked.name
    assert dbt.use_dns_endpoint, "a new cluster has no public address"


def test_a_run_may_ask_for_other_machines_but_not_for_the_other_mode() -> None:
    published = ephemeral(location="europe-west1-b", new_cluster={"mode": "standard"})
    asked = cluster_asked_for(published, new_cluster={"mode": "standard", "machine_type": "n2-highmem-8", "spot": True})
    assert (asked.node_pools[0].config.machine_type, asked.node_pools[0].config.spot) == ("n2-highmem-8", True)
    assert not asked.autopilot.enabled
    with pytest.raises(AirflowFailException, match="Autopilot or Standard"):
        cluster_asked_for(published, location="europe-west1", new_cluster={})
    with pytest.raises(AirflowFailException, match="machine_type"):
        cluster_asked_for(published, new_cluster={"mode": "standard", "machine_type": "No"})


def test_a_teardown_follows_whatever_happens_between() -> None:
    dag = project_dag(ephemeral())
    begin, create, dbt, delete = map(dag.get_task, _IN_ORDER)
    assert set(dag.task_ids) == set(_IN_ORDER)
    assert (begin.is_setup, create.is_setup, delete.is_teardown) == (True, True, True)
    assert delete.upstream_task_ids == {BEGIN_TASK_ID, CREATE_CLUSTER_TASK_ID, DBT_TASK_ID}
    assert dbt.upstream_task_ids == {CREATE_CLUSTER_TASK_ID}
    assert (dbt.retries, create.retries) == (1, 1)
    assert (delete.retries or 0) * delete.retry_delay.total_seconds() >= 15 * 60


_IN_ORDER = (BEGIN_TASK_ID, CREATE_CLUSTER_TASK_ID, DBT_TASK_ID, DELETE_CLUSTER_TASK_ID)


def test_an_existing_cluster_is_neither_made_nor_deleted() -> None:
    assert project_dag(project()).task_ids == [DBT_TASK_ID]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"cluster_name": None}, "cluster_name"),
        ({"project_id": "A project"}, "project_id"),
        ({"location": "Belgium"}, "location"),
        ({"use_dns_endpoint": True, "use_internal_ip": True}, "not by both"),
        ({"cluster_mode": "ephemeral", "new_cluster": {"machine_type": "e2-standard-4"}}, "autopilot decides"),
        ({"cluster_mode": "ephemeral", "new_cluster": {"name": "mine"}}, "leave out name"),
        ({"impersonation_chain": ["somebody"]}, "impersonation_chain"),
    ],
)
def test_what_cannot_work_is_named_in_the_anchor_dag(parameters: dict[str, Any], said: str) -> None:
    entry = project().model_dump(mode="json")
    entry["operator_parameters"] |= parameters
    dags, [problem] = project_dags(json.dumps([entry]))
    assert not dags
    assert said in problem


class _Answers:
    """A task whose hook gives these answers, one after the other."""

    cluster_name, project_id = "dbt", "harbour-prod"

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.cluster_hook = self

    def get_cluster(self, *, name: str, project_id: str) -> Any:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_cluster_that_google_gave_up_is_a_failure_in_googles_words(monkeypatch: pytest.MonkeyPatch) -> None:
    from google.cloud.container_v1.types import Cluster

    monkeypatch.setattr("dags.gke_operator._POLL_SECONDS", 0)
    making, error = Cluster(status="PROVISIONING"), Cluster(name="dbt", status="ERROR", status_message="No CPUs left.")
    see_it_run({"task": _Answers(making, making, Cluster(status="RUNNING"))})
    with pytest.raises(AirflowFailException, match=r"could not make the cluster dbt: No CPUs left\."):
        see_it_run({"task": _Answers(making, error)})


def test_a_cluster_that_is_still_there_after_its_deletion_is_a_failure() -> None:
    from google.api_core.exceptions import NotFound
    from google.cloud.container_v1.types import Cluster

    see_it_gone({"task": _Answers(NotFound("gone"))})  # type: ignore[no-untyped-call]
    with pytest.raises(AirflowException, match="has not deleted"):
        see_it_gone({"task": _Answers(Cluster(name="dbt", status="ERROR"))})
