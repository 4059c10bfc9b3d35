"""Nodes folded from logs that dbt 1.12.6 really wrote."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.dbt_api import InvocationNode, Phase
from contracts.log_event import parse_log_line
from dbt_api.records.counts import Progress
from dbt_api.records.files import LOG, TARGET, AttemptFiles
from dbt_api.records.masking import Mask
from dbt_api.records.nodes import nodes_since
from dbt_api.records.record import Record
from dbt_api.records.sequence import seq_of

ROOT = Path(__file__).parents[3]
RECORDED = ROOT / "tests" / "unit" / "services" / "recorded"


def lines_of(log: str) -> list[bytes]:
    return (RECORDED / f"{log}.jsonl").read_bytes().splitlines(keepends=True)


def attempt_with(folder: Path, log: str, *, lines: list[bytes] | None = None, complete: bool = True) -> Record:
    """An attempt that left a recorded log, or these lines, and the artifacts recorded with it."""
    (folder / TARGET).mkdir(parents=True, exist_ok=True)
    (folder / LOG).write_bytes(b"".join(lines_of(log) if lines is None else lines))
    for kind in ("manifest", "run_results"):
        if (recorded := RECORDED / f"{log}.{kind}.json").exists():
            (folder / TARGET / f"{kind}.json").write_bytes(recorded.read_bytes())
    return Record(str(folder), 1, complete, None, AttemptFiles(folder), Mask())


def nodes_of(record: Record, since: int = -1) -> dict[str, InvocationNode]:
    return {node.name: node for node in nodes_since(record, since).nodes}


def test_d17_status_is_dbts_own_and_never_the_adapters_text(tmp_path: Path) -> None:
    nodes = nodes_of(attempt_with(tmp_path, "mixed"))
    told = {
        row["unique_id"]: row["status"]
        for row in json.loads((RECORDED / "mixed.run_results.json").read_text())["results"]
    }
    assert {node.unique_id: node.status for node in nodes.values()} == told
    assert {"success", "pass", "error", "fail", "warn", "skipped"} == set(told.values())


def test_d20_a_skip_names_its_root_failing_node(tmp_path: Path) -> None:
    nodes = nodes_of(attempt_with(tmp_path, "mixed"))
    assert {name: node.skip_cause for name, node in nodes.items() if node.skip_cause} == {
        "after_broken": "model.harbour.broken",
        "far_after": "model.harbour.broken",
        "after_strict": "test.harbour.accepted_values_strict_id__1.7de80b3d63",
    }


def test_a_node_carries_what_happened_to_it(tmp_path: Path) -> None:
    nodes = nodes_of(attempt_with(tmp_path, "mixed"))
    seed, broken = nodes["ships"], nodes["broken"]
    assert (seed.rows, seed.resource_type, seed.relation) == (3, "seed", '"db"."main"."ships"')
    assert (seed.compile_ms, seed.execute_ms, seed.thread) == (0, 60, "Thread-1 (worker)")
    assert seed.started_at
    assert seed.finished_at
    assert seed.finished_at > seed.started_at
    assert "no_such_column" in (broken.message or "")


@pytest.mark.parametrize("log", ["interrupted", "killed"])
def test_what_had_started_and_not_finished_is_interrupted(tmp_path: Path, log: str) -> None:
    running = nodes_of(attempt_with(tmp_path / "running", log, complete=False))
    assert running["slow"].status == ("started" if log == "killed" else "interrupted")
    assert nodes_of(attempt_with(tmp_path / "ended", log))["slow"].status == "interrupted"


def test_an_interrupt_is_known_by_its_absence_from_run_results_where_the_adapter_cannot_cancel(tmp_path: Path) -> None:
    lines = [line for line in lines_of("interrupted") if b"LogCancelLine" not in line]
    assert nodes_of(attempt_with(tmp_path / "1", "interrupted", lines=lines, complete=False))["slow"].status == "error"
    assert nodes_of(attempt_with(tmp_path / "2", "interrupted", lines=lines))["slow"].status == "interrupted"


@pytest.mark.parametrize("step", [1, 5, 40])
def test_changes_asked_for_bit_by_bit_add_up_to_the_whole(tmp_path: Path, step: int) -> None:
    lines = lines_of("mixed")
    known: dict[str, InvocationNode] = {}
    since = -1
    for end in range(0, len(lines) + step, step):
        growing = attempt_with(tmp_path / "growing", "mixed", lines=lines[:end], complete=end >= len(lines))
        page = nodes_since(growing, since)
        assert all(node.seq > since for node in page.nodes)
        known |= {node.unique_id: node for node in page.nodes}
        since = page.seq
    assert page.complete
    assert known == {node.unique_id: node for node in nodes_since(attempt_with(tmp_path / "whole", "mixed"), -1).nodes}
    assert nodes_since(attempt_with(tmp_path / "whole", "mixed"), since).nodes == []


def test_the_phase_follows_dbts_log(tmp_path: Path) -> None:
    progress, seen = Progress(), [Phase.PREPARING]
    for line in lines_of("mixed"):
        progress.add(parse_log_line(line.decode()))
        seen += [progress.phase] if progress.phase is not seen[-1] else []
    assert seen == [Phase.PREPARING, Phase.PARSING, Phase.RUNNING, Phase.COLLECTING]


def test_places_grow_over_attempts() -> None:
    assert seq_of(1, 0) > seq_of(0, 10**12)
    assert seq_of(8191, 0) < 1 << 53


CONSOLE = """
import json, sys
from pathlib import Path
from contracts.log_event import parse_log_line
from services.results import close, fold, name_causes
for log in map(Path, sys.argv[1:]):
    artifact = lambda kind: json.loads(path.read_text()) if (path := log.with_suffix(f".{kind}.json")).exists() else {}
    result = fold(parse_log_line(line) for line in log.read_text().splitlines())
    close(result, run_results=artifact("run_results"))
    nodes = artifact("manifest").get("nodes", {})
    name_causes(result.nodes, {name: node["depends_on"]["nodes"] for name, node in nodes.items()})
    print(json.dumps([node.model_dump(mode="json") for node in result.nodes.values()]))
"""
SAME = ("unique_id", "name", "resource_type", "status", "started_at", "finished_at", "rows", "message", "relation")


def test_the_server_and_the_console_read_the_same_from_a_log(tmp_path: Path) -> None:
    """There are two folds, for the reasons of decision record 16. Their tables cannot be loaded into one process."""
    logs = ["mixed", "interrupted", "killed", "nothing", "usage"]
    words = [sys.executable, "-c", CONSOLE, *(str(RECORDED / f"{log}.jsonl") for log in logs)]
    printed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    for log, line in zip(logs, printed.splitlines(), strict=True):
        theirs = [[node[name] for name in SAME] + [node["skipped_because"]] for node in json.loads(line)]
        nodes = nodes_since(attempt_with(tmp_path / log, log), -1).model_dump(mode="json")["nodes"]
        assert [[node[name] for name in SAME] + [node["skip_cause"]] for node in nodes] == theirs
