"""What a project may say about its pod."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.operators import KubernetesParameters
from contracts.pods import OnFinish
from contracts.quantities import amount


def test_nothing_need_be_said() -> None:
    assert KubernetesParameters().on_finish_action is OnFinish.DELETE_POD


@pytest.mark.parametrize(
    ("quantity", "means"),
    [
        ("500m", "0.5"),
        ("2", "2"),
        ("1.5", "1.5"),
        ("1Ki", "1024"),
        ("1Gi", "1073741824"),
        ("1G", "1e9"),
        ("2e3", "2e3"),
    ],
)
def test_quantities_mean_what_kubernetes_means(quantity: str, means: str) -> None:
    assert amount(quantity) == Decimal(means)


@pytest.mark.parametrize("quantity", ["", "much", "-1", "1 Gi", "1gb", "500mb", "1Gii", "٣"])
def test_what_is_no_quantity_is_refused(quantity: str) -> None:
    with pytest.raises(ValidationError, match="quantity"):
        KubernetesParameters(memory_limit=quantity)


@pytest.mark.parametrize(("value", "meant"), [(True, OnFinish.DELETE_POD), (False, OnFinish.KEEP_POD)])
def test_the_old_name_of_the_finish_action_is_mapped(value: bool, meant: OnFinish) -> None:
    assert KubernetesParameters.model_validate({"is_delete_operator_pod": value}).on_finish_action is meant


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cpu_request": "2", "cpu_limit": "1500m"}, "more than cpu_limit"),
        ({"memory_request": "1Gi", "memory_limit": "1000M"}, "more than memory_limit"),
        ({"env": {"DB_PASSWORD": "x"}}, "looks like a secret"),
        ({"git_url": "https://me:secret@git.example.com/x"}, "user name or password"),
        ({"project_source": "git"}, "needs a git_url"),
        ({"connection": "kubeconfig"}, "needs the kubeconfig"),
        ({"connection": "airflow"}, "needs the id"),
        ({"volumes": [{"name": "a", "mount_path": "/a"}]}, "exactly one of"),
        ({"volumes": [{"name": "a", "mount_path": "/a", "secret": "x", "empty_dir": True}]}, "exactly one of"),
        ({"env_from": [{}]}, "either a secret or a config_map"),
        ({"labels": {"team": "not a label!"}}, "labels"),
        ({"namespace": "Upper"}, "namespace"),
        ({"tolerations": [{"operator": "Perhaps"}]}, "operator"),
        ({"affinity": {"nodeAffection": {}}}, "affinity"),
        ({"affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}}}, "topologyKey"),
        (
            {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}},
            "nodeSelectorTerms",
        ),
        ({"tolerations": [{"operator": "Exists", "value": "x"}]}, "takes no value"),
        ({"tolerations": [{"value": "x"}]}, "needs a key"),
        ({"arguments": ["dbt", "build"]}, "need {dbt} once"),
        ({"arguments": ["sh", "-c", "dbt {dbt}"]}, "need {dbt} once"),
        ({"security": "restricted", "run_as_user": 0}, "root"),
        ({"volumes": [{"name": "a", "mount_path": "/a", "empty_dir": True, "mode": "0400"}]}, "mode is for"),
        ({"volumes": [{"name": "a", "mount_path": "/a", "secret": "x", "size_limit": "1Gi"}]}, "size_limit is for"),
        (
            {"volumes": [{"name": n, "mount_path": "/a", "empty_dir": True} for n in ("a", "b")]},
            "two volumes have the mount_path",
        ),
        ({"volumes": [{"name": "pilothouse-git", "mount_path": "/a", "empty_dir": True}]}, "is taken by"),
        ({"image": "x; rm -rf /"}, "image"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_what_the_cluster_would_refuse_is_refused_here(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        KubernetesParameters.model_validate(values)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"memory_request": "3Gi"}, "memory_limit"),
        ({"env": {"API_TOKEN": "x"}}, "env"),
        ({"project_source": "git"}, "git_url"),
        ({"connection": "kubeconfig"}, "kubeconfig"),
        ({"connection": "airflow"}, "connection_id"),
    ],
)
def test_a_rule_over_several_fields_names_the_one_to_mend(values: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        KubernetesParameters.model_validate(values)
    assert [problem["loc"][0] for problem in refused.value.errors()] == [field]


def test_the_parts_of_the_arguments_that_older_projects_have_are_put_together() -> None:
    old = {"dbt_command": ["poetry", "run", "dbt"], "extra_arguments": ["--fail-fast"]}
    found = KubernetesParameters.model_validate(old).container_arguments(["build"])
    assert found == [
        "poetry", "run", "dbt", "build", "--project-dir", "/project", "--profiles-dir", "/project", "--fail-fast",
    ]  # fmt: skip


def test_an_affinity_is_stored_as_kubernetes_writes_it_and_an_empty_selector_stays() -> None:
    near = {"topologyKey": "zone", "labelSelector": {"matchLabels": {}}}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [near]}}
    stored = KubernetesParameters.model_validate({"affinity": affinity}).model_dump(mode="json")["affinity"]
    assert stored == affinity


def test_what_is_stored_can_be_read_again() -> None:
    given = KubernetesParameters.model_validate(
        {
            "cluster": "main",
            "secret_env": {"DBT_ENV_SECRET_PASSWORD": {"secret": "warehouse", "key": "password"}},
            "volumes": [{"name": "a", "mount_path": "/a", "claim": "data"}],
        }
    )
    assert KubernetesParameters.model_validate(given.model_dump(mode="json")) == given
