"""How fresh a run's sources were: dbt's sources.json, as `dbt source freshness` left it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.dbt_values import moment
from models.run import Invocation, NodeResult
from models.run_state import NodeStatus
from services import logs

FILE = "sources.json"


@dataclass(frozen=True)
class Freshness:
    """One table of a source."""

    unique_id: str
    name: str
    status: NodeStatus
    loaded_at: datetime | None
    age_seconds: float | None
    """At the time of the check."""
    warn_after: str
    error_after: str
    error: str | None


def freshness_of(invocation: Invocation) -> list[Freshness] | None:
    """Each table that was checked, the stale ones first; None when the run left no sources.json."""
    try:
        content = json.loads((logs.artifacts_of(invocation) / FILE).read_bytes())
    except (OSError, ValueError):
        return None
    return read_freshness(content if isinstance(content, dict) else {})


def read_freshness(content: Mapping[str, Any]) -> list[Freshness]:
    """The same from the file's content (v3; others as far as they are alike)."""
    found = [_row(each) for each in content.get("results") or [] if isinstance(each, dict)]
    return sorted(found, key=lambda row: (not row.status.is_bad, row.status is not NodeStatus.WARN, row.name))


def note_ages(nodes: Mapping[str, NodeResult], content: Mapping[str, Any]) -> None:
    """Say of each checked source how old it was: dbt's events tell that it is stale, and not why."""
    for row in read_freshness(content):
        node = nodes.get(row.unique_id)
        if node is not None and not node.message:
            node.message = row.error or _in_words(row)


def _in_words(row: Freshness) -> str | None:
    if row.age_seconds is None:
        return None
    limits = [f"late after {row.warn_after}" if row.warn_after else ""]
    limits += [f"too old after {row.error_after}" if row.error_after else ""]
    told = ", ".join(filter(None, limits))
    return f"The newest row was {row.age_seconds:,.0f} s old" + (f"; {told}." if told else ".")


def _row(result: Mapping[str, Any]) -> Freshness:
    unique_id = str(result.get("unique_id") or "")
    criteria = result.get("criteria") or {}
    age = result.get("max_loaded_at_time_ago_in_s")
    return Freshness(
        unique_id=unique_id,
        name=".".join(unique_id.split(".")[2:]) or unique_id,
        status=_status(result),
        loaded_at=moment(result.get("max_loaded_at")),
        age_seconds=float(age) if isinstance(age, int | float) else None,
        warn_after=_limit(criteria.get("warn_after")),
        error_after=_limit(criteria.get("error_after")),
        error=str(result["error"]) if result.get("error") else None,
    )


def _status(result: Mapping[str, Any]) -> NodeStatus:
    try:
        return NodeStatus(str(result.get("status")).lower())
    except ValueError:
        return NodeStatus.RUNTIME_ERROR if result.get("error") else NodeStatus.NO_OP


def _limit(threshold: Any) -> str:
    """`30 minutes`; empty where none is set."""
    if not isinstance(threshold, dict) or not threshold.get("count"):
        return ""
    count, period = threshold["count"], threshold.get("period") or ""
    return f"{count} {period}{'s' if count != 1 else ''}"
