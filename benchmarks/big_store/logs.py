"""Made-up dbt logs: one line for the start and one for the end of every node, as dbt writes them."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from models.run_state import NodeStatus


def lines(results: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The log of an invocation with these results."""
    finished = list(results)
    total = len(finished)
    for number, result in enumerate(finished, start=1):
        kind, name = result["resource_type"], result["name"]
        yield _line("LogStartLine", "info", f"{number} of {total} START {kind} {name}", result["started_at"], result)
        level = "error" if result["status"].is_bad else "warn" if result["status"] is NodeStatus.WARN else "info"
        told = result["message"] if level == "error" else f"{number} of {total} {result['status'].upper()} {name}"
        yield _line("LogModelResult", level, told, result["finished_at"], result)


def _line(name: str, level: str, text: str, moment: datetime, result: dict[str, Any]) -> str:
    info = {"name": name, "level": level, "msg": text, "ts": moment.isoformat(), "thread": result["thread"]}
    node = {"unique_id": result["unique_id"], "node_name": result["name"], "resource_type": result["resource_type"]}
    return json.dumps({"info": {**info, "invocation_id": "made-up"}, "data": {"node_info": node}}) + "\n"
