"""What a project's newest good manifest tells: models, their history, lineage, docs, and the state for --defer."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from contracts.dbt_api import GitSource
from dbt_api.errors import ApiError
from dbt_api.projects import git
from dbt_api.projects.locks import changing
from dbt_api.settings import settings
from tests.unit.dbt_api.server import Server

DESCRIPTION = "O'Brien's \"best\" <b>orders</b> </script><script>alert(1)</script> größte 船 {{ braces }}"
FILES = {
    "dbt_project.yml": 'name: port\nversion: "1.0"\nprofile: port\n',
    "profiles.yml": """
port:
  target: dev
  outputs:
    dev: {type: duckdb, path: "{{ env_var('PILOTHOUSE_PROJECT_DATA') }}/port.duckdb", schema: dev}
    prod: {type: duckdb, path: "{{ env_var('PILOTHOUSE_PROJECT_DATA') }}/port.duckdb", schema: prod}
""",
    "models/ships.sql": "select 1 as id, '{{ target.name }}' as built_in",
    "models/calls.sql": "{{ config(materialized='table') }} select id, built_in from {{ ref('ships') }}",
    "models/fees.sql": "select id from {{ ref('calls') }} {% if var('break', false) %} where no_such {% endif %}",
    "models/port.yml": f"""
models:
  - name: ships
    description: {json.dumps("{% raw %}" + DESCRIPTION + "{% endraw %}")}
    config: {{tags: [nightly, "it's"]}}
    columns:
      - {{name: id, description: The ship., data_type: integer, data_tests: [not_null]}}
  - name: calls
    description: CATALOG.JSON INLINE DATA
    config: {{tags: [nightly]}}
""",
}


def write(folder: Path, **files: str) -> Path:
    for name, text in {**FILES, **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def port(server: Server) -> Server:
    """The project `port`, built in prod, then with a failing model in dev."""
    server.register("port", write(server.data.parent / "port"))
    server.submit("port-prod", "build", "--target", "prod", project="port")
    assert server.ended("port-prod")["state"] == "SUCCESS"
    server.submit("port-docs", "docs", "generate", "--target", "prod", project="port")
    assert server.ended("port-docs")["state"] == "SUCCESS"
    return server


def get(server: Server, path: str, status: int = 200, **params: Any) -> Any:
    answer = server.call("GET", f"/api/v1/projects/port{path}", params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


def names(page: dict[str, Any]) -> list[str]:
    return [each["name"] for each in page["models"]]


def test_models_are_listed_found_and_paged(port: Server) -> None:
    whole = get(port, "/models")
    assert names(whole) == ["calls", "fees", "ships"]
    assert whole["manifest"]["task_id"].startswith("port-")
    assert names(get(port, "/models", q="SHIP")) == ["ships"]
    assert names(get(port, "/models", q="größte 船")) == ["ships"]
    assert names(get(port, "/models", tag="nightly")) == ["calls", "ships"]
    assert names(get(port, "/models", tag="night")) == []
    assert names(get(port, "/models", tag="it's")) == ["ships"]
    assert get(port, "/models", type=["test", "model"])["total"] == 4
    first = get(port, "/models", limit=2)
    assert (names(first), first["total"]) == (["calls", "fees"], 3)
    rest = get(port, "/models", limit=2, cursor=first["next_cursor"])
    assert (names(rest), rest["next_cursor"]) == (["ships"], None)


def test_foreign_text_comes_back_as_it_was_written_f16(port: Server) -> None:
    assert get(port, "/models/model.port.ships")["description"] == DESCRIPTION


def test_one_model_is_told_whole(port: Server) -> None:
    ships = get(port, "/models/model.port.ships")
    assert ships["columns"] == [{"name": "id", "description": "The ship.", "data_type": "integer"}]
    assert "{{ target.name }}" in ships["raw_sql"]
    assert "'prod'" in ships["compiled_sql"]
    assert ships["referenced_by"] == ["model.port.calls"]
    assert [each.split(".")[2] for each in ships["tests"]] == ["not_null_ships_id"]
    assert ships["relation"] == '"port"."prod"."ships"'
    assert ships["config"]["materialized"] == "view"
    assert (ships["last"]["status"], ships["last"]["task_id"]) == ("success", "port-prod")
    calls = get(port, "/models/model.port.calls")
    assert (calls["depends_on"], calls["referenced_by"]) == (["model.port.ships"], ["model.port.fees"])


def test_a_parse_that_comes_later_does_not_lose_the_compiled_sql(port: Server) -> None:
    assert port.call("POST", "/api/v1/projects/port/parse").json()["ok"]
    ships = get(port, "/models/model.port.ships")
    assert (ships["manifest"]["target"], ships["manifest"]["task_id"]) == ("dev", None)
    assert "'prod'" in ships["compiled_sql"]


def test_history_tells_what_became_of_a_model_and_keeps_failures(port: Server) -> None:
    port.submit("port-broken", "build", "--vars", '{"break": true}', "--target", "prod", project="port")
    assert port.ended("port-broken")["outcome"] == "model_error"
    broken, good = get(port, "/models/model.port.fees/history")["results"]
    assert (broken["status"], broken["task_id"], broken["target"]) == ("error", "port-broken", "prod")
    assert (good["status"], good["task_id"]) == ("success", "port-prod")
    assert good["execute_ms"] >= 0
    first = get(port, "/models/model.port.ships/history", limit=1)
    assert first["results"][0]["task_id"] == "port-broken"
    rest = get(port, "/models/model.port.ships/history", limit=1, cursor=first["next_cursor"])
    assert (rest["results"][0]["task_id"], rest["next_cursor"]) == ("port-prod", None)
    assert get(port, "/models/model.port.ships/history", target="dev")["results"] == []
    assert get(port, "/models")["models"][1]["last"]["status"] == "error"
    kept = get(port, "/models", target="prod")["manifest"]
    assert kept["task_id"] == "port-docs"
    assert get(port, "/state/prod/manifest.json")["metadata"]["invocation_id"] == kept["invocation_id"]


def test_lineage_reaches_as_far_as_asked(port: Server) -> None:
    def drawn(**params: Any) -> tuple[list[str], list[tuple[str, str]]]:
        answer = get(port, "/lineage", **params)
        short = [(each["parent"].split(".")[-1], each["child"].split(".")[-1]) for each in answer["edges"]]
        return [each["name"] for each in answer["nodes"]], short

    everything = (["calls", "fees", "ships"], [("ships", "calls"), ("calls", "fees")])
    assert drawn() == everything
    assert drawn(select="calls") == everything
    assert drawn(select="model.port.fees", upstream=1) == (["calls", "fees"], [("calls", "fees")])
    assert drawn(select="calls", upstream=0) == (["calls", "fees"], [("calls", "fees")])
    assert drawn(select="calls", upstream=0, downstream=0) == (["calls"], [])


def test_the_docs_site_is_one_page_whose_data_cannot_become_a_script(port: Server) -> None:
    answer = port.call("GET", "/api/v1/projects/port/docs/", params={"target": "prod"})
    assert answer.status_code == 200
    assert "sandbox allow-scripts" in answer.headers["Content-Security-Policy"]
    assert '"MANIFEST.JSON INLINE DATA"' not in answer.text
    assert '"description":"CATALOG.JSON INLINE DATA"' in answer.text.replace('": "', '":"')
    assert "model.port.ships" in answer.text
    assert "<script>alert(1)" not in answer.text
    assert "model.port.ships" in get(port, "/docs/catalog.json", target="prod")["nodes"]
    assert "model.port.ships" in get(port, "/docs/manifest.json")["nodes"]
    page = port.call("GET", "/api/v1/projects/port/docs/page.html").text
    assert "model.port.ships" not in page
    assert '"MANIFEST.JSON INLINE DATA"' in page
    assert "Content-Security-Policy" in page
    empty = get(port, "/docs/catalog.json", target="dev")
    assert (empty["nodes"], "docs generate" in empty["errors"][0]) == ({}, True)


@pytest.mark.parametrize(
    "path",
    ["..%2F..%2Fetc%2Fhostname", "%2Fetc%2Fhostname", "..%2Ffacts.json", "facts.json", "....//etc/hostname", "%00"],
)
def test_nothing_but_the_site_is_served_d12(port: Server, path: str) -> None:
    for route in (f"/docs/{path}", f"/state/{path}/manifest.json", f"/state/prod/{path}"):
        assert port.call("GET", f"/api/v1/projects/port{route}").status_code in (404, 422), route


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("GET", "/models"),
        ("GET", "/models/model.a.b"),
        ("GET", "/models/model.a.b/history"),
        ("GET", "/lineage"),
        ("GET", "/docs/"),
        ("GET", "/docs/manifest.json"),
        ("GET", "/state/prod/manifest.json"),
        ("POST", "/sync"),
        ("POST", "/parse"),
        ("DELETE", ""),
    ],
)
def test_an_unknown_project_is_404_on_every_route_d15(server: Server, method: str, route: str) -> None:
    assert server.call(method, f"/api/v1/projects/nobody{route}").status_code == 404


def test_unknown_nodes_targets_and_values_are_errors_d15(port: Server) -> None:
    for route in ("/models/model.port.nope", "/models/model.port.nope/history", "/state/nope/manifest.json"):
        assert get(port, route, status=404)["detail"]
    assert get(port, "/lineage", status=404, select="nope")["detail"] == "There is no node 'nope'."
    assert get(port, "/models", status=404, target="nope")
    assert get(port, "/models/%00/history", status=422)
    assert get(port, "/models/..%2F..%2Fetc/history", status=404)
    assert get(port, "/models", q="\x00'\"<>%_", tag="\x00", cursor="\x00")["models"] == []
    for params in ({"limit": 0}, {"limit": 999}, {"type": "nope"}, {"target": "../prod"}):
        assert get(port, "/models", status=422, **params)


def test_a_project_that_dbt_has_not_read_yet_says_so(server: Server) -> None:
    server.register("unread", write(server.data.parent / "unread"))
    answer = server.call("GET", "/api/v1/projects/unread/models")
    assert (answer.status_code, answer.json()["hint"]) == (404, "Parse the project, or run it once.")


def test_a_deferred_run_reads_parents_that_only_the_other_target_has(port: Server) -> None:
    port.submit("alone", "run", "--select", "calls", project="port")
    assert port.ended("alone")["outcome"] == "model_error"
    port.submit("deferred", "run", "--select", "calls", project="port", defer_to="prod")
    ended = port.ended("deferred")
    assert (ended["state"], ended["defer_to"]) == ("SUCCESS", "prod"), ended["exc_message"]
    compiled = (port.attempt("deferred") / "target/compiled/port/models/calls.sql").read_text()
    assert '"port"."prod"."ships"' in compiled


@pytest.mark.parametrize(
    ("command", "defer_to", "said"),
    [
        (["run"], "nope", "no manifest of 'port'"),
        (["deps"], "prod", "reads no parents"),
        (["run", "--defer"], "prod", "said twice"),
        (["run"], "../prod", "defer_to"),
    ],
)
def test_what_cannot_be_deferred_is_refused(port: Server, command: list[str], defer_to: str, said: str) -> None:
    body = {"project": "port", "command": command, "defer_to": defer_to}
    answer = port.call("POST", "/api/v1/invocations", json=body)
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text


def committed(folder: Path, message: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=folder, check=True)
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    subprocess.run(["git", *who, "commit", "-qm", message], cwd=folder, check=True)
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True).stdout[
        :-1
    ]


def test_counts_change_after_a_new_commit_while_a_run_keeps_its_files_f17(server: Server) -> None:
    folder = write(
        server.data.parent / "followed",
        **{
            "models/slow.sql": "{{ config(materialized='table') }} select sleep_ms({{ var('slow_ms', 0) }}) as slept",
            "packages.yml": "packages:\n  - local: ./helpers\n",
            "helpers/dbt_project.yml": 'name: helpers\nversion: "1.0"\n',
        },
    )
    first = committed(folder, "one")
    source = {"kind": "git", "url": f"file://{folder}"}
    registered = server.call("PUT", "/api/v1/projects/followed", json={"source": source}).json()
    assert server.call("POST", "/api/v1/projects/followed/parse").json()["ok"]
    assert server.call("GET", "/api/v1/projects/followed/models").json()["total"] == 4
    server.submit("kept-files", "run", "-s", "slow", "--vars", '{"slow_ms": 600000}', project="followed")
    server.sleeping("kept-files")
    (folder / "models" / "later.sql").write_text("select 2 as id")
    second = committed(folder, "two")
    answer = server.call("POST", "/api/v1/projects/followed/sync").json()
    assert (answer["old_git_sha"], answer["git_sha"], answer["changed"]) == (first, second, True)
    assert answer["parsed"]["ok"]
    listed = server.call("GET", "/api/v1/projects/followed/models").json()
    assert (listed["total"], listed["manifest"]["git_sha"]) == (5, second)
    assert (Path(registered["path"]) / "dbt_project.yml").exists()
    assert server.call("DELETE", "/api/v1/projects/followed").status_code == 409
    server.call("POST", "/api/v1/invocations/kept-files/abort")
    assert server.ended("kept-files")["git_sha"] == first
    mark = Path(answer["project"]["path"]) / "dbt_packages" / "mark"
    mark.touch()
    with ThreadPoolExecutor() as pool:
        again = list(pool.map(lambda _: server.call("POST", "/api/v1/projects/followed/sync"), range(4)))
    assert [(each.status_code, each.json()["changed"]) for each in again] == [(200, False)] * 4
    assert mark.exists(), "packages that a run may be reading are left alone"
    assert server.call("DELETE", "/api/v1/projects/followed").status_code == 204
    assert not (server.data / "manifests" / "followed").exists()


def test_a_folder_is_read_again(server: Server) -> None:
    folder = write(server.data.parent / "read_again")
    server.register("read_again", folder)
    assert not server.call("POST", "/api/v1/projects/read_again/sync").json()["changed"]
    (folder / "models" / "fees.sql").unlink()
    answer = server.call("POST", "/api/v1/projects/read_again/sync").json()
    assert (answer["changed"], answer["parsed"]["ok"], answer["git_sha"]) == (True, True, None)


def test_one_change_of_a_project_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_DBT_API_DATA", str(tmp_path))
    monkeypatch.setenv("PILOTHOUSE_DBT_API_PROJECT_LOCK_SECONDS", "0")
    settings.cache_clear()
    with changing("port"), changing("other"), pytest.raises(ApiError, match="another request"), changing("port"):
        raise AssertionError("two changes at once")
    settings.cache_clear()


def test_a_branch_that_moves_between_question_and_clone_is_known_by_what_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PILOTHOUSE_DBT_API_FOLDER_ROOTS", f'["{tmp_path}"]')
    settings.cache_clear()
    old = committed(write(tmp_path / "moving"), "one")
    (tmp_path / "moving" / "models" / "later.sql").write_text("select 2 as id")
    new = committed(tmp_path / "moving", "two")
    monkeypatch.setattr(git, "newest_commit", lambda _: old)
    folder, commit = git.checkout(GitSource(url=f"file://{tmp_path / 'moving'}"), tmp_path / "checkouts")
    assert (folder.name, commit) == (new, new)
    settings.cache_clear()
