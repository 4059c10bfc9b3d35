"""Presets: what is kept, what applying one does to a form, and what is refused when."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.operators import KubernetesParameters, OperatorName
from models.preset import Preset
from services import database
from services.errors import InvalidInput, NotFound
from services.presets import applied, delete_preset, presets, save_preset
from services.settings import settings

KUBERNETES = OperatorName.KUBERNETES
USUAL = KubernetesParameters().model_dump(mode="json")


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    settings.cache_clear()
    database.engine.cache_clear()
    database.migrate()
    yield
    database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()


def save(name: str = "big", **values: Any) -> Preset:
    return save_preset(KUBERNETES, name, {**USUAL, **values}, names=list(values), by="anna")


def test_a_preset_sets_its_own_parameters_and_leaves_the_others() -> None:
    save(memory_limit="8Gi", tolerations=[{"key": "big", "operator": "Exists"}])
    together, names = applied(KUBERNETES, "big", {**USUAL, "namespace": "dbt"})
    assert (together["memory_limit"], together["namespace"]) == ("8Gi", "dbt")
    assert together["tolerations"][0]["key"] == "big"
    assert sorted(names) == ["memory_limit", "tolerations"]


def test_what_a_launch_may_not_change_is_left_out() -> None:
    save(memory_limit="8Gi", on_finish_action="keep_pod")
    together, names = applied(KUBERNETES, "big", USUAL, without=KubernetesParameters.PER_PROJECT)
    assert (names, together["on_finish_action"]) == (["memory_limit"], "delete_pod")


def test_a_name_that_is_saved_again_is_replaced_and_says_who_did() -> None:
    save(memory_limit="8Gi")
    save_preset(KUBERNETES, " big ", {**USUAL, "cpu_request": "2"}, names=["cpu_request"], by="bert")
    assert [(one.name, one.parameters, one.saved_by) for one in presets(KUBERNETES)] == [
        ("big", {"cpu_request": "2"}, "bert")
    ]


def test_an_operator_has_presets_of_its_own() -> None:
    save(memory_limit="8Gi")
    save_preset(OperatorName.DBT_API, "big", {"priority": 1}, names=["priority"], by="anna")
    delete_preset(KUBERNETES, "big")
    delete_preset(KUBERNETES, "big")
    assert presets(KUBERNETES) == []
    assert [one.name for one in presets(OperatorName.DBT_API)] == ["big"]
    with pytest.raises(NotFound):
        applied(KUBERNETES, "big", USUAL)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("", {"memory_limit": "8Gi"}, "name of at most 60"),
        ("x" * 61, {"memory_limit": "8Gi"}, "name of at most 60"),
        ("big", {}, "at least one parameter"),
        ("big", {"memory_limit": "much"}, "Memory limit: .*no Kubernetes quantity"),
        ("big", {"env": {"DB_PASSWORD": "x"}}, "looks like a secret"),
        ("big", {"memory_limit": "128Mi"}, "memory_request 512Mi is more"),
    ],
)
def test_what_the_form_would_refuse_is_not_kept(name: str, values: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        save(name, **values)
    assert presets(KUBERNETES) == []


def test_a_problem_elsewhere_in_the_form_keeps_nobody_from_saving() -> None:
    values = {**USUAL, "namespace": "Not A Name", "memory_limit": "8Gi"}
    saved = save_preset(KUBERNETES, "big", values, names=["memory_limit"], by="anna")
    assert saved.parameters == {"memory_limit": "8Gi"}


def test_a_preset_is_checked_again_where_it_is_applied() -> None:
    save(memory_request="4Gi", memory_limit=None)
    applied(KUBERNETES, "big", USUAL)
    with database.session() as opened:
        opened.add(Preset(operator=KUBERNETES, name="old", parameters={"gpus": 2}, saved_by="anna"))
    with pytest.raises(InvalidInput, match="gpus: This is not known here"):
        applied(KUBERNETES, "old", USUAL)
    save("asks", memory_request="1Gi")
    with pytest.raises(InvalidInput, match="memory_request 1Gi is more than memory_limit 600Mi"):
        applied(KUBERNETES, "asks", {**USUAL, "memory_limit": "600Mi"})
