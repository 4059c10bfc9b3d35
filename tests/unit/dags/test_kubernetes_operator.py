"""The pod that a run of a project on Kubernetes becomes, rendered and built by the provider itself."""

from datetime import UTC, datetime
from typing import Any

import pytest

pytest.importorskip("airflow.sdk")

from airflow.sdk.exceptions import AirflowFailException

from contracts.names import DBT_TASK_ID, PROJECT_LABEL, RUN_LABEL, run_label_of
from contracts.published_project import PublishedProject
from dags.factory import project_dag

RUN_ID = "scheduled__2026-01-01T00:00:00+00:00"


def project(**parameters: Any) -> PublishedProject:
    return PublishedProject.model_validate(
        {
            "name": "harbour",
            "operator": "kubernetes",
            "start_date": datetime(2026, 1, 1, tzinfo=UTC),
            "operator_parameters": {"connection": "kubeconfig", "kubeconfig": "/etc/kube", **parameters},
        }
    )


def task_of(published: PublishedProject) -> Any:
    return project_dag(published).get_task(DBT_TASK_ID)


def built(published: PublishedProject, **conf: Any) -> Any:
    """The V1Pod that the provider would send, from the run's params."""
    dag = project_dag(published)
    task: Any = dag.get_task(DBT_TASK_ID)
    params = {**dag.params.dump(), **conf}
    task.render_template_fields({"params": params, "run_id": RUN_ID})
    return task.build_pod_request_obj(dry_run=True)


def test_dbt_gets_the_runs_arguments_and_the_projects_place() -> None:
    container = built(project(project_directory="/srv/dbt"), command="run", select=["a+"]).spec.containers[0]
    assert container.args[:4] == ["dbt", "run", "--select", "a+"]
    assert container.args[4:] == ["--project-dir", "/srv/dbt", "--profiles-dir", "/srv/dbt"]
    environment = {one.name: one.value for one in container.env}
    assert (environment["DBT_LOG_FORMAT"], environment["DBT_LOG_LEVEL"]) == ("json", "debug")


def test_the_pod_carries_our_labels() -> None:
    labels = built(project(labels={"team": "finance"})).metadata.labels
    assert labels["team"] == "finance"
    assert labels[PROJECT_LABEL] == "harbour"
    assert labels[RUN_LABEL] == run_label_of("pilothouse__harbour", RUN_ID)


def test_what_looks_like_a_template_in_a_runs_conf_stays_text() -> None:
    conf = {"vars": {"x": "{{ 7 * 7 }}"}, "operator_parameters": {"env": {"NUMBER": "1.20", "TEXT": "{{ 7 * 7 }}"}}}
    container = built(project(), **conf).spec.containers[0]
    environment = {one.name: one.value for one in container.env}
    assert (environment["NUMBER"], environment["TEXT"]) == ("1.20", "{{ 7 * 7 }}")
    assert '{"x": "{{ 7 * 7 }}"}' in container.args


def test_a_run_changes_the_pod_but_not_what_airflow_takes_from_the_dag() -> None:
    published = project(memory_limit="1Gi", on_finish_action="keep_pod")
    own = {
        "memory_limit": "3Gi",
        "tolerations": [{"key": "big", "operator": "Exists"}],
        "on_finish_action": "delete_pod",
    }
    pod = built(published, operator_parameters=own)
    assert pod.spec.containers[0].resources.limits == {"memory": "3Gi"}
    assert pod.spec.tolerations[0].key == "big"
    assert task_of(published).on_finish_action.value == "keep_pod"


def test_the_grace_period_is_the_pods_own_so_that_deleting_it_interrupts_dbt() -> None:
    published = project(grace_period_seconds=45)
    assert built(published).spec.termination_grace_period_seconds == 45
    assert task_of(published).termination_grace_period is None


def test_secrets_volumes_and_sources_become_references() -> None:
    container = (
        pod := built(
            project(
                secret_env={"DBT_ENV_SECRET_PASSWORD": {"secret": "warehouse", "key": "password"}},
                env_from=[{"config_map": "settings", "prefix": "X_"}, {"secret": "more"}],
                volumes=[{"name": "cache", "mount_path": "/cache", "claim": "dbt-cache", "read_only": True}],
                image_pull_secrets=["registry"],
                service_account="dbt",
                node_selector={"pool": "dbt"},
                affinity={"nodeAffinity": {}},
            )
        )
    ).spec.containers[0]
    reference = next(one for one in container.env if one.name == "DBT_ENV_SECRET_PASSWORD").value_from.secret_key_ref
    assert (reference.name, reference.key) == ("warehouse", "password")
    assert container.env_from[0].config_map_ref.name == "settings"
    assert container.env_from[1].secret_ref.name == "more"
    assert pod.spec.volumes[0].persistent_volume_claim.claim_name == "dbt-cache"
    assert container.volume_mounts[0].read_only
    assert (pod.spec.image_pull_secrets[0].name, pod.spec.service_account_name) == ("registry", "dbt")
    assert pod.spec.node_selector == {"pool": "dbt"}


def test_the_arguments_are_the_projects_to_change_and_the_run_stands_in_them() -> None:
    arguments = ["-c", 'prepare {project} && exec dbt "$@"', "sh", "{dbt}", "--project-dir={project}", "--fail-fast"]
    container = built(project(entrypoint=["sh"], arguments=arguments), select=["a"]).spec.containers[0]
    assert container.command == ["sh"]
    assert container.args[:6] == ["-c", 'prepare /project && exec dbt "$@"', "sh", "build", "--select", "a"]
    assert container.args[6:] == ["--project-dir=/project", "--fail-fast"]


def test_placement_and_security_are_as_kubernetes_writes_them() -> None:
    term = {"matchExpressions": [{"key": "pool", "operator": "In", "values": ["dbt"]}]}
    pod = built(
        project(
            affinity={
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
            },
            priority_class="nightly",
            security="restricted",
            run_as_user=1000,
            fs_group=2000,
            volumes=[
                {"name": "keys", "mount_path": "/keys", "secret": "keys", "mode": "0400"},
                {"name": "tmp", "mount_path": "/tmp", "empty_dir": True, "size_limit": "1Gi"},
            ],
        )
    )
    required = pod.spec.affinity.node_affinity.required_during_scheduling_ignored_during_execution
    assert required.node_selector_terms[0].match_expressions[0].values == ["dbt"]
    assert pod.spec.priority_class_name == "nightly"
    security = pod.spec.security_context
    assert (security.run_as_non_root, security.run_as_user, security.fs_group) == (True, 1000, 2000)
    assert pod.spec.containers[0].security_context.capabilities.drop == ["ALL"]
    assert pod.spec.volumes[0].secret.default_mode == 0o400
    assert pod.spec.volumes[1].empty_dir.size_limit == "1Gi"


def test_only_the_clone_sees_the_repositorys_credential() -> None:
    git = {"project_source": "git", "git_url": "https://git.example.com/it", "git_secret": "deploy-key"}
    pod = built(project(**git, secret_env={"TOKEN": {"secret": "proxy", "key": "token"}}))
    source, dbt = pod.spec.init_containers[0], pod.spec.containers[0]
    assert {one.secret.secret_name for one in pod.spec.volumes if one.secret} == {"deploy-key"}
    assert "/pilothouse/git" in [one.mount_path for one in source.volume_mounts]
    assert "/pilothouse/git" not in [one.mount_path for one in dbt.volume_mounts]
    assert next(one for one in source.env if one.name == "TOKEN").value_from.secret_key_ref.name == "proxy"


def test_a_cloned_project_comes_from_an_init_container() -> None:
    git = {"project_source": "git", "git_url": "file:///srv/it", "git_branch": "main", "git_subfolder": "sub"}
    pod = built(project(**git))
    source, dbt = pod.spec.init_containers[0], pod.spec.containers[0]
    environment = {one.name: one.value for one in source.env}
    assert (environment["URL"], environment["BRANCH"]) == ("file:///srv/it", "main")
    assert "file:///srv/it" not in " ".join(source.command)
    assert dbt.args[-4:-2] == ["--project-dir", "/pilothouse/source/clone/sub"]
    assert {one.name for one in dbt.volume_mounts} == {"pilothouse-project"}


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ({"operator_parameters": {"memory_limit": "much"}}, "memory_limit"),
        ({"operator_parameters": {"cpu_request": "2", "cpu_limit": "1"}}, "more than cpu_limit"),
        ({"operator": "dbt_api"}, "runs on kubernetes"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_wrong_params_end_the_run_with_the_reason_and_no_retry(conf: dict[str, Any], said: str) -> None:
    with pytest.raises(AirflowFailException, match=said):
        built(project(), **conf)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"connection": "in_cluster"}, (None, True, None)),
        ({"connection": "kubeconfig", "kubeconfig": "/k"}, (None, False, "/k")),
        ({"connection": "airflow", "connection_id": "prod"}, ("prod", None, None)),
    ],
)
def test_airflow_reaches_the_cluster_as_the_project_says(parameters: dict[str, Any], expected: Any) -> None:
    task = task_of(project(**parameters))
    assert (task.kubernetes_conn_id, task.in_cluster, task.config_file) == expected


def test_behind_the_pods_deadline_stands_a_time_limit_of_the_task() -> None:
    published = project(active_deadline_seconds=100, grace_period_seconds=20)
    assert built(published, operator_parameters={"active_deadline_seconds": 5}).spec.active_deadline_seconds == 100
    assert task_of(project(active_deadline_seconds=None)).execution_timeout is None


def test_a_pod_that_waits_long_for_its_start_still_has_its_whole_deadline() -> None:
    """The task's time runs while a pod is scheduled and its image pulled, the pod's only afterwards."""
    patient = project(active_deadline_seconds=100, grace_period_seconds=20, startup_timeout_seconds=600)
    assert task_of(patient).execution_timeout.total_seconds() >= 600 + 600 + 100 + 20
