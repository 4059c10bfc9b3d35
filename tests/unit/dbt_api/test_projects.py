"""Projects from all three sources, and what people are told when something is wrong with one."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.dbt_api.project import PROFILES, write_project
from tests.unit.dbt_api.server import Server


def put(server: Server, name: str, **source: Any) -> Any:
    return server.call("PUT", f"/api/v1/projects/{name}", json={"source": source})


def parse(server: Server, name: str) -> dict[str, Any]:
    answer = server.call("POST", f"/api/v1/projects/{name}/parse")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.fixture
def folder(server: Server, request: pytest.FixtureRequest) -> Path:
    name: str = request.node.name
    return server.data.parent / "projects" / name.replace("[", "_").strip("]")


def repository(folder: Path) -> Callable[..., None]:
    def git(*words: str) -> None:
        who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)

    write_project(folder / "dbt")
    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "one")
    return git


def test_a_template_becomes_a_project_that_parses(server: Server) -> None:
    for _ in range(2):
        assert put(server, "fresh", kind="template", warehouse="duckdb").ok
    parsed = parse(server, "fresh")
    assert parsed["problems"] == []
    assert (parsed["ok"], parsed["adapter"], parsed["targets"]) == (True, "duckdb", ["dev"])
    assert {"model", "test", "seed"} <= {node["resource_type"] for node in parsed["nodes"]}


def test_a_template_for_an_adapter_that_is_missing_says_which_package(server: Server) -> None:
    assert put(server, "frozen", kind="template", warehouse="snowflake").ok
    (problem,) = [each for each in parse(server, "frozen")["problems"] if each["kind"] != "warning"]
    assert problem["kind"] in ("adapter_missing", "other")
    assert "dbt-snowflake" in problem["hint"] or "DBT_ENV_" in problem["hint"]


def test_the_other_warehouse_replaces_the_profile_and_nothing_else(server: Server) -> None:
    path = Path(put(server, "moved", kind="template", warehouse="duckdb").json()["path"])
    (path / "models" / "mine.sql").write_text("select 1 as id")
    assert put(server, "moved", kind="template", warehouse="postgres").ok
    assert "type: postgres" in (path / "profiles.yml").read_text()
    assert (path / "models" / "mine.sql").exists()


def test_a_branch_is_checked_out_and_followed(server: Server, folder: Path) -> None:
    git = repository(folder)
    source = {"kind": "git", "url": f"file://{folder}", "branch": "main", "subfolder": "dbt"}
    first = put(server, "cloned", **source).json()
    (folder / "dbt" / "models" / "later.sql").write_text("select 2 as id")
    git("add", ".")
    git("commit", "-qm", "two")
    second = put(server, "cloned", **source).json()
    assert len(first["git_sha"]) == 40
    assert first["git_sha"] != second["git_sha"]
    assert (Path(second["path"]) / "models" / "later.sql").exists()
    assert server.call("DELETE", "/api/v1/projects/cloned").status_code == 204
    assert not Path(second["path"]).exists()
    assert server.call("GET", "/api/v1/projects/cloned").status_code == 404


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"branch": "nope"}, "no branch 'nope'"),
        ({"subfolder": "nope"}, "no folder 'nope'"),
        ({"subfolder": "../../.."}, "no folder"),
        ({"subfolder": "."}, "no dbt_project.yml"),
        ({"url": "https://no-such-host.invalid/a.git"}, "'no-such-host.invalid' is not known here"),
        ({"url": "https://u:hunter2@host/a.git"}, "would be stored"),
        ({"url": "ext::sh -c id"}, "not valid"),
    ],
)
def test_a_wrong_git_source_is_told_plainly(server: Server, folder: Path, change: dict[str, str], said: str) -> None:
    folder = folder.with_name(f"git_{len(said)}_{len(str(change))}")
    repository(folder)
    source = {"kind": "git", "url": f"file://{folder}", "branch": "main", "subfolder": "dbt"} | change
    answer = put(server, "wrong_git", **source)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert "hunter2" not in answer.text
    assert server.call("GET", "/api/v1/projects/wrong_git").status_code == 404


@pytest.mark.parametrize(
    ("path", "said"),
    [("/etc", "outside"), ("relative", "absolute"), ("{root}/nope", "no folder"), ("{root}", "no dbt_")],
)
def test_a_wrong_folder_is_told_plainly(server: Server, path: str, said: str) -> None:
    answer = put(server, "wrong_folder", kind="folder", path=path.format(root=server.data.parent))
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True)


BROKEN = {
    "profile_missing": ({"profiles.yml": PROFILES.replace("shop:", "another:")}, None),
    "adapter_missing": ({"profiles.yml": PROFILES.replace("duckdb,", "trino,")}, None),
    "cycle": (
        {"models/a.sql": "select * from {{ ref('b') }}", "models/b.sql": "select * from {{ ref('a') }}"},
        "models/",
    ),
    "compilation": ({"models/bad.sql": "select {{ 1 + }}"}, "models/bad.sql"),
    "yaml": ({"models/bad.yml": "models:\n  - name: a\n   description: b\n"}, "bad.yml"),
    "not_a_project": ({"dbt_project.yml": "profile: shop\n"}, "dbt_project.yml"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_keeps_a_project_from_parsing_is_named_with_a_way_on(server: Server, folder: Path, kind: str) -> None:
    files, named = BROKEN[kind]
    server.register("broken", write_project(folder, **files))
    parsed = parse(server, "broken")
    problem = parsed["problems"][0]
    assert (parsed["ok"], problem["kind"]) == (False, kind), problem
    assert problem["hint"]
    assert (named or "") in (problem["file"] or "")
    if kind == "adapter_missing":
        assert "dbt-trino" in problem["hint"]


def test_packages_that_cannot_be_had_are_told(server: Server, folder: Path) -> None:
    write_project(folder, **{"packages.yml": "packages:\n  - local: ./nowhere\n"})
    answer = put(server, "unpacked", kind="folder", path=str(folder))
    assert answer.status_code == 422
    assert "dbt deps" in answer.json()["detail"]


def test_a_selection_is_previewed_by_dbt(server: Server) -> None:
    def preview(**body: Any) -> dict[str, Any]:
        return dict(server.call("POST", "/api/v1/preview", json={"project": "shop", **body}).json())

    slow = {"unique_id": "model.shop.slow", "name": "slow", "resource_type": "model", "path": "models/slow.sql"}
    assert preview(command="run", select=["slow"], target="prod", vars={"slow_ms": 1}) == {
        "ok": True,
        "argv": ["dbt", "run", "--select", "slow", "--vars", '{"slow_ms": 1}', "--target", "prod"],
        "unique_ids": ["model.shop.slow"],
        "nodes": [slow],
        "message": None,
    }
    nothing = preview(select=["nowhere"])
    assert nothing["ok"]
    assert nothing["unique_ids"] == []
    assert "nowhere" in nothing["message"]
    wrong = preview(select=["nomethod:x"])
    assert not wrong["ok"]
    assert "nomethod" in wrong["message"]


def test_unknown_projects_and_bad_names_are_errors(server: Server) -> None:
    assert server.call("POST", "/api/v1/projects/nobody/parse").status_code == 404
    assert server.call("DELETE", "/api/v1/projects/nobody").status_code == 404
    assert server.call("GET", "/api/v1/projects/..%2F..").status_code in (404, 422)
    assert put(server, "Bad-Name", kind="template", warehouse="duckdb").status_code == 422
