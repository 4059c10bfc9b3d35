"""dbt's log of one invocation, copied line by line into Airflow's task log while it grows."""

import logging
from typing import Any

from contracts.log_event import LogEvent, parse_log_line
from services.dbt_api import DbtApi

_LEVELS = {"info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}

log = logging.getLogger("dbt")


class DbtLog:
    """Where we are in an invocation's log, and the node counts that dbt told at its end."""

    def __init__(self, task_id: str) -> None:
        self._task_id = task_id
        self._offset = 0
        self._unfinished_line = b""
        self.counts: dict[str, Any] = {}

    def copy_new_lines(self, api: DbtApi) -> None:
        """Copy what is new. Safe to repeat after an error: the place is only moved past what was copied."""
        while True:
            chunk = api.log_chunk(self._task_id, offset=self._offset)
            self._offset += len(chunk.data)
            *lines, self._unfinished_line = (self._unfinished_line + chunk.data).split(b"\n")
            if chunk.complete and self._unfinished_line:
                lines.append(self._unfinished_line)
                self._unfinished_line = b""
            for line in lines:
                self._copy(parse_log_line(line.decode(errors="replace")))
            if chunk.complete or not chunk.data:
                return

    def _copy(self, event: LogEvent) -> None:
        if event.name == "StatsLine":
            stats = event.data.get("stats")
            self.counts = stats if isinstance(stats, dict) else {}
        level = _LEVELS.get(event.level)
        if level is not None and event.message.strip():
            log.log(level, "%s", event.message)
