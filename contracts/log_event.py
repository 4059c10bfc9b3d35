"""One event of dbt's structured log, read leniently from one line of output.

Source: `dbt --log-format json`, `{"info": {...}, "data": {...}}` per line (docs.getdbt.com/reference/events-logging).
A line that is not such an object (a traceback, another tool's output) becomes an event with the line as its message.
"""

import json
import re
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_LEVELS = {"debug": "debug", "info": "info", "warn": "warn", "warning": "warn", "error": "error", "critical": "error"}


class LogEvent(BaseModel):
    """A log line with its meaning, where it has one."""

    model_config = ConfigDict(frozen=True)

    message: str
    level: str = "info"
    timestamp: datetime | None = None
    name: str = ""
    thread: str = ""
    invocation_id: str = Field(default="", description="dbt's own invocation id, as in run_results.json.")
    data: dict[str, Any] = Field(default_factory=dict)

    @property
    def node_info(self) -> dict[str, Any]:
        """dbt's node_info of this event, or an empty dict."""
        info = self.data.get("node_info")
        return info if isinstance(info, dict) else {}

    @property
    def unique_id(self) -> str | None:
        """The node that this event is about, if any."""
        return self.node_info.get("unique_id") or self.data.get("unique_id") or None


def level_of(info: dict[str, Any]) -> str:
    """The level of an event's `info`: debug, info, warn or error."""
    return _LEVELS.get(str(info.get("level", "info")).lower(), "info")


def parse_log_line(line: str) -> LogEvent:
    """Read one line of dbt's output; never raises, whatever the line holds."""
    try:
        record = json.loads(line)
        info = record["info"]
        return LogEvent(
            message=_ANSI.sub("", str(info.get("msg", ""))),
            level=level_of(info),
            timestamp=info.get("ts") or None,
            name=str(info.get("name") or ""),
            thread=str(info.get("thread") or ""),
            invocation_id=str(info.get("invocation_id") or ""),
            data=record.get("data") or {},
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return LogEvent(message=_ANSI.sub("", line.rstrip("\n")))
