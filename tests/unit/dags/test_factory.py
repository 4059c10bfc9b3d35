"""What the DAG factory makes of the list of published projects."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("airflow.sdk")

from airflow.executors import executor_loader
from airflow.sdk import DAG

from contracts.names import ANCHOR_DAG_ID, DBT_TASK_ID
from contracts.published_project import PublishedProject
from contracts.run_conf import RunConf
from dags.factory import anchor_dag, project_dag, project_dags

START = datetime(2026, 1, 1, tzinfo=UTC)


def published(**values: Any) -> PublishedProject:
    return PublishedProject.model_validate({"name": "harbour", "start_date": START, **values})


def entry(**values: Any) -> dict[str, Any]:
    return published(**values).model_dump(mode="json")


def test_a_project_becomes_a_dag_with_what_it_asks_for() -> None:
    project = published(
        description="A harbour's books",
        owner="ada",
        schedule="0 2 * * *",
        pool="nightly",
        queue="big",
        retries=2,
        retry_delay_seconds=30,
        paused=True,
    )
    dag = project_dag(project)
    task = dag.get_task(DBT_TASK_ID)
    assert (dag.dag_id, dag.description, dag.catchup, dag.start_date) == (
        "pilothouse__harbour",
        "A harbour's books",
        False,
        START,
    )
    assert dag.is_paused_upon_creation
    assert (task.owner, task.pool, task.queue, task.retries) == ("ada", "nightly", "big", 2)
    assert task.retry_delay.total_seconds() == 30
    assert dag.task_ids == [DBT_TASK_ID]


def test_a_dag_shows_the_published_version_that_the_console_waits_for() -> None:
    first, second = published(), published(schedule="@daily")
    assert first.fingerprint in str(project_dag(first).doc_md)
    assert first.fingerprint not in str(project_dag(second).doc_md)


@pytest.mark.parametrize("schedule", [None, "0 2 * * *", "*/15 * * * *", "@daily", "@hourly", "5 4 * * sun", "@once"])
def test_schedules_that_airflow_takes_are_taken(schedule: str | None) -> None:
    dags, problems = project_dags(json.dumps([entry(schedule=schedule)]))
    assert (len(dags), problems) == (1, [])


BROKEN: list[Any] = [
    entry(name="broken", schedule="99 * * * *"),
    entry(name="broken", schedule="every now and then"),
    entry(name="broken", operator="gke"),
    entry(name="broken", operator="kubernetes", operator_parameters={"memory_limit": "much"}),
    {"name": "broken"},
    {"name": "Broken; touch x", "start_date": "2026-01-01T00:00:00Z"},
    {**entry(name="broken"), "command": "fly"},
    "broken",
    None,
    7,
]


@pytest.mark.parametrize("broken", BROKEN)
def test_one_broken_project_is_named_and_the_others_stay(broken: Any) -> None:
    dags, problems = project_dags(json.dumps([broken, entry()]))
    assert [dag.dag_id for dag in dags] == ["pilothouse__harbour"]
    assert len(problems) == 1
    assert problems[0] in str(anchor_dag(problems).doc_md)


def test_the_reason_is_found_by_name_and_version() -> None:
    project = published(schedule="99 * * * *")
    _, (problem,) = project_dags(json.dumps([project.model_dump(mode="json")]))
    assert problem.startswith(f"`harbour` `{project.fingerprint}`: ")
    assert "99 * * * *" in problem


@pytest.mark.parametrize("variable", ["", "not JSON", "{}", '"x"'])
def test_a_list_that_cannot_be_read_still_leaves_the_anchor(variable: str) -> None:
    dags, problems = project_dags(variable)
    assert (dags, len(problems)) == ([], 1)
    assert anchor_dag(problems).dag_id == ANCHOR_DAG_ID


def test_a_task_gets_only_its_own_dag() -> None:
    variable = json.dumps([entry(), entry(name="quay"), {"name": "broken"}])
    dags, _ = project_dags(variable, only="pilothouse__quay")
    assert [dag.dag_id for dag in dags] == ["pilothouse__quay"]


def harbour(**values: Any) -> DAG:
    return project_dag(published(**values))


def test_the_params_are_the_fields_of_a_run_and_their_defaults_a_valid_run() -> None:
    params = harbour(command="test", target="prod", threads=3).params.dump()
    assert set(params) == set(RunConf.model_fields)
    conf = RunConf.model_validate(params)
    assert (conf.command, conf.target, conf.threads) == ("test", "prod", 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("command", "fly"),
        ("select", "stg_calls"),
        ("select", ["--profiles-dir"]),
        ("select", ["$(touch x)"]),
        ("threads", 0),
        ("threads", "4"),
        ("target", "prod; drop"),
        ("full_refresh", "yes"),
        ("operator", "kubernetes"),
        ("version", 2),
    ],
)
def test_airflow_itself_refuses_a_wrong_value(name: str, value: Any) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    with pytest.raises(ParamValidationError):
        harbour().params.get_param(name).resolve(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("select", ["stg_calls+", "tag:nightly"]), ("threads", None), ("target", None), ("vars", {"day": "2026-01-01"})],
)
def test_a_right_value_is_taken(name: str, value: Any) -> None:
    assert harbour().params.get_param(name).resolve(value) == value


@pytest.fixture
def executors(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets Airflow's executors; it reads them once a process."""

    def forget() -> None:
        for name in vars(executor_loader):
            if name.startswith("_") and name.endswith(("_per_team", "_to_executors", "_executor_names")):
                vars(executor_loader)[name].clear()

    def configured(names: str) -> None:
        monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", names)
        forget()

    yield configured
    monkeypatch.undo()
    forget()


def test_a_task_asks_for_the_executor_of_its_project(executors: Callable[[str], None]) -> None:
    executors("LocalExecutor,KubernetesExecutor")
    for operator in ({}, {"operator": "kubernetes"}):
        project = published(executor="KubernetesExecutor", worker_pod={"memory_limit": "1Gi"}, **operator)
        [dag], problems = project_dags(json.dumps([project.model_dump(mode="json")]))
        assert problems == []
        task: Any = dag.get_task(DBT_TASK_ID)
        assert task.executor == "KubernetesExecutor"
        override = task.executor_config["pod_override"]
        assert override.spec.containers[0].resources.limits == {"memory": "1Gi"}


def test_a_worker_pod_counts_only_where_the_executor_makes_one(executors: Callable[[str], None]) -> None:
    asks = published(worker_pod={"cpu_request": "1", "node_selector": {"pool": "airflow"}})
    executors("LocalExecutor")
    assert not project_dag(asks).get_task(DBT_TASK_ID).executor_config
    executors("KubernetesExecutor")
    task: Any = project_dag(asks).get_task(DBT_TASK_ID)
    override = task.executor_config["pod_override"]
    assert override.spec.node_selector == {"pool": "airflow"}


def test_an_executor_that_airflow_lacks_takes_down_its_own_project_only(executors: Callable[[str], None]) -> None:
    executors("LocalExecutor")
    entries = [entry(name="inland"), entry(executor="KubernetesExecutor")]
    dags, problems = project_dags(json.dumps(entries))
    assert [dag.dag_id for dag in dags] == ["pilothouse__inland"]
    assert "no executor 'KubernetesExecutor', only LocalExecutor" in problems[0]


def test_a_worker_that_knows_no_other_executor_runs_the_task_all_the_same(executors: Callable[[str], None]) -> None:
    executors("LocalExecutor")
    [dag], problems = project_dags(json.dumps([entry(executor="KubernetesExecutor")]), only="pilothouse__harbour")
    assert (dag.get_task(DBT_TASK_ID).executor, problems) == (None, [])
