"""Where a node failed, put together from the log, the results and the manifest that an invocation left."""

import json
from pathlib import Path
from typing import Any

from models.run import NodeResult
from models.run_state import NodeStatus
from services.collector.explaining import explain

NODE = "model.shop.calls"
COMPILED = "select\n    call_id,\n    customs_stamp -- no such column\nfrom stg_calls"
MESSAGE = (
    "Runtime Error in model calls (models/calls.sql)\n"
    '  Binder Error: Referenced column "customs_stamp" not found in FROM clause!\n\n'
    "  LINE 5:     customs_stamp -- no such column\n              ^"
)
MANIFEST = {
    "nodes": {
        NODE: {
            "original_file_path": "models/calls.sql",
            "raw_code": "{{ config(tags='x') }}\n\nselect\n    call_id,\n    customs_stamp -- no such column\nfrom x",
        }
    }
}


def event(name: str, level: str, data: dict[str, Any]) -> str:
    return json.dumps({"info": {"name": name, "level": level, "msg": name, "ts": "2026-11-26T01:00:00Z"}, "data": data})


def log(folder: Path) -> Path:
    sent = f"/* dbt */\n\n  create table x\n  as (\n    {COMPILED}\n  );"
    lines = [
        event("SQLQuery", "debug", {"conn_name": "master", "sql": "begin"}),
        event("SQLQuery", "debug", {"conn_name": NODE, "sql": sent}),
        event("SQLQuery", "debug", {"conn_name": NODE, "sql": "rollback"}),
        "Traceback: an error of another kind",
        event("LogModelResult", "error", {"node_info": {"unique_id": "model.shop.other"}}),
        event("LogModelResult", "error", {"node_info": {"unique_id": NODE}}),
        event("RunResultError", "error", {"node_info": {"unique_id": NODE}}),
    ]
    path = folder / "dbt.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def node(**values: Any) -> NodeResult:
    known = {"status": NodeStatus.ERROR, "message": MESSAGE, "compiled_sql": COMPILED}
    return NodeResult(invocation_id=1, unique_id=NODE, name="calls", resource_type="model", **{**known, **values})


def test_a_failure_is_placed_in_sql_file_and_log(tmp_path: Path) -> None:
    failed = node()
    explain([failed], log(tmp_path), MANIFEST)
    assert (failed.compiled_line, failed.file, failed.file_line, failed.log_line) == (3, "models/calls.sql", 5, 6)


def test_explaining_twice_changes_nothing(tmp_path: Path) -> None:
    failed = node()
    for _ in range(2):
        explain([failed], log(tmp_path), MANIFEST)
    assert (failed.compiled_line, failed.file_line, failed.log_line) == (3, 5, 6)


def test_without_log_and_manifest_nothing_is_made_up(tmp_path: Path) -> None:
    failed = node(message="Got 2 results, configured to fail if != 0", status=NodeStatus.FAIL)
    explain([failed], tmp_path / "none", {})
    assert (failed.compiled_line, failed.file, failed.file_line, failed.log_line) == (None, None, None, None)


def test_good_nodes_are_left_alone(tmp_path: Path) -> None:
    good = node(status=NodeStatus.SUCCESS)
    explain([good], log(tmp_path), MANIFEST)
    assert (good.compiled_line, good.log_line) == (None, None)
