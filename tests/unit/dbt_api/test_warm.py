"""The warm engine: the same results as the plain command, never a stale one, and no harm when it fails."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import Server, eventually, is_running

PARSING = {"StateCheckVarsHash", "PartialParsingEnabled", "PartialParsingSkipParsing", "Note"}
"""What dbt says of a parse that finds nothing new."""
NOT_ALIKE = {"generated_at", "invocation_id", "invocation_started_at", "run_started_at", "created_at"}
PER_PATH = {"build_path", "compiled_path", "root_path"}
COMMANDS = {
    "success": ["build", "--threads", "1", "--select", "orders", "slow"],
    "model_error": ["build", "--threads", "1", "--vars", '{"break": true}'],
    "test_failure": ["build", "--threads", "1", "--select", "orders", "--vars", '{"fail": true}'],
    "usage_error": ["run", "--nope"],
    "nothing_to_do": ["run", "--select", "nowhere"],
}


@pytest.fixture(scope="module", autouse=True)
def environment() -> Iterator[None]:
    """What the servers of this module give to dbt."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DBT_ENV_SECRET_WORD", "sesame-open")
        patched.setenv("DBT_ENV_CUSTOM_ENV_TEAM", "harbour")
        yield


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory, environment: None) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("warm")
    started = Server(root / "data", MEMORY_LIMIT_MB="4000").start()
    started.register("shop", write_project(root / "shop"))
    yield started
    started.end()


@pytest.fixture(scope="module")
def doomed(tmp_path_factory: pytest.TempPathFactory, environment: None) -> Iterator[Server]:
    """A server whose processes tests may kill, with room for one parsed project."""
    root = tmp_path_factory.mktemp("doomed")
    started = Server(root / "data", WARM_PROJECTS="1").start()
    for name in ("shop", "other"):
        started.register(name, write_project(root / name))
    yield started
    started.end()


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory, environment: None) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("cold")
    started = Server(root / "data", WARM="false").start()
    started.register("shop", write_project(root / "shop"))
    started.submit("first", "run")  # what is compared finds the relations of an earlier run, as the warm one does
    yield started
    started.end()


def log_of(server: Server, task_id: str) -> list[dict[str, Any]]:
    lines = (server.attempt(task_id) / "events.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def names(log: list[dict[str, Any]]) -> list[str]:
    return [event["info"]["name"] for event in log]


def is_parsed(server: Server, task_id: str) -> bool:
    """Whether the invocation found its project parsed, and did not have to parse it."""
    return not PARSING & set(names(log_of(server, task_id)))


def run_parsed(server: Server, name: str, *command: str, **more: Any) -> dict[str, Any]:
    """Run a command until it comes from a process that holds its project parsed."""
    runs = iter(range(100))
    ended: dict[str, Any] = {}

    def again() -> bool:
        task_id = f"{name}-{next(runs)}"
        server.submit(task_id, *command, **more)
        ended.update(server.ended(task_id))
        assert ended["engine"] == "warm", ended["engine_reason"]
        return is_parsed(server, task_id)

    eventually(again)
    return ended


def artifact(server: Server, task_id: str, name: str) -> Any:
    return json.loads((server.attempt(task_id) / "target" / name).read_text())


def alike(value: Any) -> Any:
    """An artifact without what differs between any two runs."""
    if isinstance(value, dict):
        return {key: alike(each) for key, each in value.items() if key not in NOT_ALIKE | PER_PATH}
    return [alike(each) for each in value] if isinstance(value, list) else value


def nodes_told(log: list[dict[str, Any]]) -> dict[str, Counter[str]]:
    """How often each event was told of each node, but for what dbt leaves to chance.

    A thread whose system id a thread before it had takes over the connection of that one.
    """
    told: dict[str, Counter[str]] = {}
    for event in log:
        unique_id = (event["data"].get("node_info") or {}).get("unique_id")
        if unique_id and event["info"]["name"] != "NewConnection":
            told.setdefault(unique_id, Counter())[event["info"]["name"]] += 1
    return told


def from_compilation_on(log: list[dict[str, Any]]) -> set[str]:
    told = names(log)
    return set(told[told.index("FoundStats") :])


@pytest.mark.parametrize("outcome", COMMANDS)
def test_warm_and_cold_end_alike(warm: Server, cold: Server, outcome: str) -> None:
    command = COMMANDS[outcome]
    cold.submit(outcome, *command)
    mine = run_parsed(warm, outcome, *command)
    other = cold.ended(outcome)

    assert (mine["outcome"], other["outcome"]) == (outcome, outcome)
    assert (other["engine"], other["engine_reason"]) == ("cold", "The warm engine is switched off.")
    for key in ("state", "exit_code", "signal", "exc_type", "exc_message", "dbt_version"):
        assert mine[key] == other[key]
    assert [each["name"] for each in mine["artifacts"]] == [each["name"] for each in other["artifacts"]]
    here, there = log_of(warm, mine["task_id"]), log_of(cold, other["task_id"])
    assert nodes_told(here) == nodes_told(there)
    if outcome != "usage_error":
        assert from_compilation_on(here) == from_compilation_on(there)
        for name in ("manifest.json", "semantic_manifest.json"):
            assert alike(artifact(warm, mine["task_id"], name)) == alike(artifact(cold, other["task_id"], name))
    if nodes_told(here):
        results = [
            artifact(server, ended["task_id"], "run_results.json") for server, ended in ((warm, mine), (cold, other))
        ]
        statuses = [sorted((each["unique_id"], each["status"]) for each in result["results"]) for result in results]
        assert statuses[0] == statuses[1]


VARIED = {
    "models/hidden.sql": "{{ config(materialized='ephemeral') }} select id from {{ ref('orders') }}",
    "models/deeper.sql": "{{ config(materialized='ephemeral') }} select id from {{ ref('hidden') }}",
    "models/shown.sql": "{{ config(materialized='table', post_hook='select 1') }} select id from {{ ref('deeper') }}",
    "models/grown.sql": "{{ config(materialized='incremental') }} select id from {{ ref('lines') }}",
    "models/nodes.yml": "models:\n  - name: shown\n    columns: [{name: id, data_tests: [unique, not_null]}]\n",
    "seeds/lines.csv": "id\n1\n2\n",
    "snapshots/kept.yml": "snapshots:\n  - {name: kept, relation: ref('shown'), "
    "config: {unique_key: id, strategy: check, check_cols: all}}\n",
    "macros/both.sql": "{% macro both() %}1{% endmacro %}",
}


def test_what_running_changes_is_in_the_manifest_and_nothing_else_is_lost(warm: Server, cold: Server) -> None:
    """Warm, dbt writes only those nodes anew that a run has changed."""
    for server in (warm, cold):
        folder = server.data.parent / "varied"
        for name in ("seeds", "snapshots", "macros"):
            (folder / name).mkdir(parents=True)
        server.register("varied", write_project(folder, **VARIED))
    commands: dict[str, tuple[list[str], dict[str, Any]]] = {
        "all": (["build"], {}),
        "one": (["run", "--select", "shown"], {}),
        "deferred": (["compile", "--target", "prod", "--select", "deeper"], {"defer_to": "dev"}),
        "listed": (["ls"], {}),
    }
    for name, (command, more) in commands.items():
        run_parsed(warm, f"{name}-parsed", *command, project="varied")
        for server in (warm, cold):
            server.submit(name, *command, project="varied", **more)
        assert [server.ended(name)["state"] for server in (warm, cold)] == ["SUCCESS", "SUCCESS"]
        manifests = [artifact(server, name, "manifest.json") for server in (warm, cold)]
        assert alike(manifests[0]) == alike(manifests[1])


def test_the_manifest_tells_of_its_own_invocation(warm: Server) -> None:
    mine = run_parsed(warm, "own", "ls")
    (told,) = {event["info"]["invocation_id"] for event in log_of(warm, mine["task_id"])}
    assert artifact(warm, mine["task_id"], "manifest.json")["metadata"]["invocation_id"] == told


def test_no_write_ahead_log_is_left_beside_the_database(warm: Server) -> None:
    run_parsed(warm, "closed", "run", "--select", "orders")
    files = {each.name for each in (warm.data / "warehouses" / "shop").iterdir()}
    assert "dev.duckdb" in files
    assert not any(name.endswith(".wal") for name in files)


def test_an_edited_file_counts_at_once(warm: Server) -> None:
    """Also when it is edited back: what was parsed in between must not answer for it."""
    model = warm.data.parent / "shop" / "models" / "orders.sql"
    before = model.read_text()
    compiled = []
    for number, text in enumerate([before, "select 2 as id", "select 3 as id", before]):
        model.write_text(text)
        warm.submit(f"edited-{number}", "run", "--select", "orders")
        assert warm.ended(f"edited-{number}")["state"] == "SUCCESS"
        compiled.append((warm.attempt(f"edited-{number}") / "target/compiled/shop/models/orders.sql").read_text())
    assert compiled == [before, "select 2 as id", "select 3 as id", before]


def test_vars_and_targets_are_parsed_apart(warm: Server) -> None:
    run_parsed(warm, "plain", "ls")
    run_parsed(warm, "with-var", "ls", "--vars", "break: true")
    broken = run_parsed(warm, "with-var", "ls", "--vars", "break: true")
    plain = run_parsed(warm, "plain", "ls")
    prod = run_parsed(warm, "prod", "run", "--select", "orders", "--target", "prod")
    assert b"shop.broken" in log_bytes(warm, broken)
    assert b"shop.broken" not in log_bytes(warm, plain)
    assert (warm.data / "warehouses" / "shop" / "prod.duckdb").exists()
    assert prod["state"] == "SUCCESS"


def log_bytes(server: Server, ended: dict[str, Any]) -> bytes:
    return (server.attempt(ended["task_id"]) / "events.jsonl").read_bytes()


def test_a_node_given_with_the_command_is_linked_too(warm: Server) -> None:
    """The graph of what was parsed does not hold it."""
    run_parsed(warm, "given", "compile", "--inline", "select * from {{ ref('orders') }} -- given")
    warm.submit("given", "compile", "--inline", "select * from {{ ref('orders') }} -- given")
    ended = warm.ended("given")
    assert ended["state"] == "SUCCESS", ended["exc_message"]
    assert is_parsed(warm, "given")
    assert b'from \\"dev\\".\\"main\\".\\"orders\\" -- given' in log_bytes(warm, ended)


def test_secrets_are_scrubbed_in_a_warm_childs_log_too(warm: Server) -> None:
    told = {"models/orders.sql": "{{ log('the word is sesame-open', true) }} select 1 as id"}
    warm.register("secretive", write_project(warm.data.parent / "secretive", **told))
    ended = run_parsed(warm, "tell", "run", "--select", "orders", project="secretive")
    assert b"the word is *****" in log_bytes(warm, ended)
    assert b"sesame-open" not in log_bytes(warm, ended)
    assert artifact(warm, ended["task_id"], "manifest.json")["metadata"]["env"] == {"TEAM": "harbour"}


def test_parsed_projects_are_bounded(doomed: Server) -> None:
    run_parsed(doomed, "shop", "ls")
    run_parsed(doomed, "other", "ls", project="other")
    eventually(lambda: len(zygotes_of(doomed)) == 2)


def test_a_zygote_that_makes_room_still_tells_how_its_dbt_was_killed(doomed: Server) -> None:
    """Only a parent learns that, so it stays until then."""
    run_parsed(doomed, "roomy", "ls")
    doomed.submit("outlives", "run", "--select", "slow", "--vars", '{"slow_ms": 600000}')
    doomed.sleeping("outlives")
    run_parsed(doomed, "other-roomy", "ls", project="other")
    os.kill(doomed.dbt_pid("outlives"), signal.SIGKILL)
    killed = doomed.ended("outlives")
    assert (killed["outcome"], killed["signal"]) == ("oom", 9)
    eventually(lambda: len(zygotes_of(doomed)) == 2)


def test_a_killed_zygote_costs_nothing_and_comes_back(doomed: Server) -> None:
    ended = run_parsed(doomed, "before", "run", "--select", "orders")
    assert ended["engine"] == "warm"
    for zygote in zygotes_of(doomed):
        os.kill(zygote, signal.SIGKILL)
    doomed.submit("meanwhile", "run", "--select", "orders")
    meanwhile = doomed.ended("meanwhile")
    assert meanwhile["state"] == "SUCCESS"
    assert meanwhile["engine"] == "warm" or meanwhile["engine_reason"]
    eventually(lambda: doomed.call("GET", "/ready").json()["engines"]["default"] == "ready")
    run_parsed(doomed, "after", "run", "--select", "orders")


def test_zygotes_die_with_the_server_and_running_dbt_does_not(doomed: Server) -> None:
    doomed.submit("run", "run", "--select", "slow", "--vars", '{"slow_ms": 5000}')
    doomed.sleeping("run")
    zygotes = zygotes_of(doomed)
    assert zygotes
    doomed.end(signal.SIGKILL)
    eventually(lambda: not any(is_running(each) for each in zygotes))
    eventually((doomed.attempt("run") / "exit.json").exists)
    doomed.start()
    ended = doomed.ended("run")
    assert (ended["state"], ended["engine"], ended["attempt"]) == ("SUCCESS", "warm", 1)


def test_what_does_not_fit_starts_cold_and_says_why(warm: Server) -> None:
    warm.submit("deps", "deps")
    warm.submit("parsing", "--no-partial-parse", "run", "--select", "orders")
    assert (warm.ended("deps")["engine"], warm.ended("deps")["engine_reason"]) == (
        "cold",
        "This command always starts cold.",
    )
    assert warm.ended("parsing")["state"] == "SUCCESS"
    assert "PartialParsingNotEnabled" in names(log_of(warm, "parsing"))


def zygotes_of(server: Server) -> list[int]:
    """Process ids of the root zygote and of those that hold a project; not of the shims and dbt below them."""
    assert server.process is not None
    roots = [pid for pid in children_of(server.process.pid) if b"zygote/__main__.py" in cmdline(pid)]
    return [*roots, *(pid for root in roots for pid in children_of(root) if os.getsid(pid) == os.getsid(root))]


def children_of(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(folder.name))
    return found


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def test_an_abort_stops_a_warm_query_and_frees_the_database(warm: Server) -> None:
    """Also one that is only about to be sent: the child goes on cancelling."""
    warm.submit("stopped", "run", "--select", "slow", "--vars", '{"slow_ms": 600000}')
    warm.sleeping("stopped")
    warm.call("POST", "/api/v1/invocations/stopped/abort")
    stopped = warm.ended("stopped")
    assert (stopped["state"], stopped["engine"], stopped["exit_code"]) == ("ABORTED", "warm", 2)
    assert {"manifest.json", "run_results.json"} <= {each["name"] for each in stopped["artifacts"]}
    warm.submit("following", "run", "--select", "orders")
    assert warm.ended("following")["state"] == "SUCCESS"
