"""What a run says while Airflow makes or deletes its cluster."""

from datetime import timedelta

import pytest

from contracts.names import CREATE_CLUSTER_TASK_ID, DBT_TASK_ID, DELETE_CLUSTER_TASK_ID
from contracts.operators import OperatorName
from models.run import Run
from models.types import now
from services.airflow import TaskNews
from services.collector import run_cluster

ORDER = (CREATE_CLUSTER_TASK_ID, DBT_TASK_ID, DELETE_CLUSTER_TASK_ID)


def run(mode: str = "ephemeral", operator: OperatorName = OperatorName.GKE) -> Run:
    parameters = {"project_id": "harbour-prod", "location": "europe-west1", "cluster_mode": mode}
    conf = {"operator_parameters": parameters}
    return Run(project="harbour_log", dag_id="d", dag_run_id="r", operator=operator, command="build", conf=conf)


def tasks(*states: str | None, since: timedelta = timedelta()) -> dict[str, TaskNews]:
    started = now() - since
    return {name: TaskNews(state, 1, started, started, None, None) for name, state in zip(ORDER, states, strict=True)}


@pytest.mark.parametrize(
    ("states", "words"),
    [
        (("queued", None, None), "Waits for a free Airflow worker."),
        (("running", None, None), "Google makes the cluster ph-harbour-log-"),
        (("up_for_retry", None, None), "did not make the cluster"),
        (("success", "running", None), None),
        (("success", "success", "running"), "dbt has ended; Google deletes the cluster ph-harbour-log-"),
        (("failed", "upstream_failed", "queued"), "dbt was not started; Google deletes"),
        (("failed", "skipped", "up_for_retry"), "has not deleted the cluster"),
        (("success", "success", "success"), None),
    ],
)
def test_what_google_is_doing_is_told_while_dbt_does_not_run(states: tuple[str | None, ...], words: str | None) -> None:
    told = run_cluster.what_goes_on(run(), tasks(*states))
    assert told is None if words is None else words in (told or "")


def test_how_long_it_has_been_made_is_told() -> None:
    making = tasks("running", None, None, since=timedelta(minutes=4, seconds=20))
    assert (run_cluster.what_goes_on(run(), making) or "").endswith(", for 4 min so far.")


def test_only_a_run_whose_cluster_is_its_own_says_so() -> None:
    assert run_cluster.makes_cluster(run())
    assert not run_cluster.makes_cluster(run("existing"))
    assert not run_cluster.makes_cluster(run(operator=OperatorName.KUBERNETES))
