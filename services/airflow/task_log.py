"""Airflow's task log as text lines, from the structured records that its REST API gives.

The typed client drops level, logger and traceback, so the records are read raw: `{"timestamp", "level", "event",
"logger", "error_detail": [{"exc_type", "exc_value", "frames": [...]}], …}`, or a bare string for unstructured output.
"""

from typing import Any

_NOT_SHOWN = {"timestamp", "level", "event", "logger", "error_detail", "filename", "lineno", "chan", "try_number"}
_NOT_SHOWN |= {"ti_id", "dag_id", "run_id", "task_id", "map_index", "ts"}


_SOURCES = "::group::Log message source details"
_END_OF_GROUP = "::endgroup::"


def lines_of(records: list[Any]) -> list[str]:
    """The lines of one answer. Where Airflow looked for the log is told only when it found nothing there."""
    events = [record.get("event") if isinstance(record, dict) else record for record in records]
    if events[:1] == [_SOURCES] and _END_OF_GROUP in events:
        records = records[events.index(_END_OF_GROUP) + 1 :] or records
    return [line for record in records for line in render(record)]


def render(record: Any) -> list[str]:
    """The lines of one record: what happened, its extra values, and its traceback.

    What our operator copies from dbt's log is marked, as the provider marks a pod's lines with their container.
    """
    if not isinstance(record, dict):
        return str(record).splitlines() or [""]
    extras = [f"{key}={value!r}" for key, value in record.items() if key not in _NOT_SHOWN and value is not None]
    first, *rest = str(record.get("event", "")).splitlines() or [""]
    copied = "[dbt]" if record.get("logger") == "dbt" else ""
    head = [record.get("timestamp"), str(record.get("level") or "").upper(), copied, first, *extras]
    lines = [" ".join(str(part) for part in head if part), *rest]
    for problem in record.get("error_detail") or []:
        lines += _traceback(problem)
    return lines


def _traceback(problem: Any) -> list[str]:
    if not isinstance(problem, dict):
        return str(problem).splitlines()
    frames = [
        f'  File "{frame.get("filename")}", line {frame.get("lineno")}, in {frame.get("name")}'
        for frame in problem.get("frames") or []
        if isinstance(frame, dict)
    ]
    ending = f"{problem.get('exc_type', 'Error')}: {problem.get('exc_value', '')}".splitlines()
    return ["Traceback (most recent call last):", *frames, *ending] if frames else ending
