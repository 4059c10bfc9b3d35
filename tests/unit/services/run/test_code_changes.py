"""What changed in a project's code between two manifests, and where its commits can be read."""

from typing import Any

import pytest

from services.run.changes_since import commits_link
from services.run.code_changes import compared
from services.run.manifests import read_manifest


def manifest(*nodes: dict[str, Any], macros: tuple[dict[str, Any], ...] = ()) -> Any:
    return read_manifest(
        {
            "metadata": {"adapter_type": "duckdb"},
            "nodes": {node["unique_id"]: node for node in nodes},
            "macros": {macro["unique_id"]: macro for macro in macros},
        }
    )


def model(name: str, code: str = "select 1", *, reads: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    depends = {"nodes": [f"model.shop.{each}" for each in reads], "macros": more.pop("calls", [])}
    return {
        "unique_id": f"model.shop.{name}",
        "name": name,
        "resource_type": "model",
        "original_file_path": f"models/{name}.sql",
        "raw_code": code,
        "depends_on": depends,
        **more,
    }


def macro(name: str, text: str, package: str = "shop") -> dict[str, Any]:
    return {"unique_id": f"macro.{package}.{name}", "name": name, "package_name": package, "macro_sql": text}


def told(*args: Any, **kwargs: Any) -> list[tuple[str, str, bool]]:
    return [(change.name, str(change.how), change.concerns_failure) for change in compared(*args, **kwargs)]


def test_code_configuration_additions_and_removals_are_told_apart() -> None:
    old = manifest(model("a"), model("b"), model("c"), model("same"))
    new = manifest(
        model("a", "select 2"), model("b", unrendered_config={"materialized": "table"}), model("same"), model("d")
    )
    assert told(old, new) == [
        ("a", "changed", False),
        ("b", "configured differently", False),
        ("c", "removed", False),
        ("d", "added", False),
    ]


def test_what_the_failure_reads_comes_first_also_through_macros() -> None:
    calls = ["macro.shop.cents"]
    old = manifest(model("a"), model("b", reads=("a",)), model("z", calls=calls), macros=(macro("cents", "1"),))
    new = manifest(
        model("a", "select 2"), model("b", reads=("a",)), model("z", calls=calls), macros=(macro("cents", "100"),)
    )
    assert told(old, new, failed=["model.shop.z"]) == [("cents", "changed", True), ("a", "changed", False)]
    assert told(old, new, failed=["model.shop.b"])[0] == ("a", "changed", True)


def test_another_version_of_dbt_is_no_change_of_the_project() -> None:
    old = manifest(model("a"), macros=(macro("run", "1", "dbt"), macro("drop", "1", "dbt_duckdb")))
    new = manifest(model("a"), macros=(macro("run", "2", "dbt"), macro("drop", "2", "dbt_duckdb")))
    assert told(old, new) == []


def test_a_unit_test_whose_checksum_is_a_word_is_read_too() -> None:
    def of(checksum: str) -> Any:
        unit = {"unique_id": "unit_test.shop.t", "name": "t", "resource_type": "unit_test", "checksum": checksum}
        return read_manifest({"unit_tests": {unit["unique_id"]: unit}})

    assert told(of("a"), of("b")) == [("t", "changed", False)]


def test_a_circle_ends() -> None:
    both = manifest(model("a", reads=("b",)), model("b", reads=("a",)))
    assert told(both, both, failed=["model.shop.a"]) == []


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://github.com/acme/shop.git", "https://github.com/acme/shop/compare/aaa...bbb"),
        ("git@github.com:acme/shop.git", "https://github.com/acme/shop/compare/aaa...bbb"),
        ("ssh://git@gitlab.acme.io:2222/data/shop.git", "https://gitlab.acme.io/data/shop/-/compare/aaa...bbb"),
        ("https://bitbucket.org/acme/shop", "https://bitbucket.org/acme/shop/branches/compare/bbb..aaa"),
        ("https://git.acme.io/shop.git", None),
        ("/srv/shop.git", None),
        ("", None),
    ],
)
def test_known_hosts_have_a_page_of_the_commits_between(url: str, link: str | None) -> None:
    assert commits_link(url, "aaa", "bbb") == link
