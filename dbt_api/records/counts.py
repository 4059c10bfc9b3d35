"""How far a dbt invocation is, read from its log: phase, dbt's own id, and where each node stands.

Read incrementally: a log is remembered to the byte up to which it was read, so that asking often costs little. Status
is `data.node_info.node_status` of NodeStart and NodeFinished; taking a line in twice changes nothing.
"""

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

from contracts.dbt_api import NodeCounts, Phase
from contracts.log_event import LogEvent, parse_log_line
from dbt_api.records.marked import lines_with
from dbt_api.records.record import Record

REMEMBERED = 64
COUNTED_AS = {
    **dict.fromkeys(("success", "pass"), "passed"),
    **dict.fromkeys(("error", "fail", "runtime error", "partial success"), "error"),
    "warn": "warn",
    "skipped": "skip",
    "no-op": "noop",
    "reused": "reused",
    "started": "running",
}
"""dbt's node statuses, by the count that each belongs to."""

TOLD = tuple(
    f'"{name}"'.encode()
    for name in (
        *("MainReportVersion", "FoundStats", "ConcurrencyLine", "LogStartLine", "SkippingDetails"),
        *("NodeStart", "NodeFinished", "LogCancelLine", "CommandCompleted"),
    )
)
PHASES = {
    "MainReportVersion": Phase.PARSING,
    "FoundStats": Phase.RUNNING,
    "ConcurrencyLine": Phase.RUNNING,
    "CommandCompleted": Phase.COLLECTING,
}


@dataclass
class Node:
    """Where one node stands: dbt's last status of it, its file, and whether dbt cancelled its query."""

    status: str
    path: str | None = None
    cancelled: bool = False

    @property
    def is_done(self) -> bool:
        """Whether it needs no second run."""
        return COUNTED_AS.get(self.status) in ("passed", "warn", "noop", "reused")

    @property
    def has_failed(self) -> bool:
        """Whether it failed by itself: dbt reports a node whose query it cancelled as failed too."""
        return COUNTED_AS.get(self.status) == "error" and not self.cancelled


@dataclass
class Progress:
    """What the log up to `offset` says. Hooks are no nodes here."""

    offset: int = 0
    phase: Phase = Phase.PREPARING
    invocation_id: str | None = None
    total: int | None = None
    nodes: dict[str, Node] = field(default_factory=dict)

    def read_on(self, record: Record) -> None:
        """Take in the lines that were added since; a last line without its end waits for it."""
        while lines := b"".join(record.log_lines(self.offset)):
            self.offset += len(lines)
            for line in lines_with(TOLD, lines):
                self.add(parse_log_line(line.decode(errors="replace")))

    def add(self, event: LogEvent) -> None:
        """Take in one event."""
        self.phase = PHASES.get(event.name, self.phase)
        self.invocation_id = self.invocation_id or event.invocation_id or None
        self._add_total(event.data)
        if event.name == "LogCancelLine":
            self._add_cancelled(str(event.data.get("conn_name")))
        elif event.name in ("NodeStart", "NodeFinished") and event.unique_id:
            self._add_node(event)

    def _add_total(self, data: dict[str, Any]) -> None:
        """Unit tests are in `3 of 35`, but not in the total that dbt tells first."""
        for told in (data.get("node_count"), data.get("total")):
            if isinstance(told, int):
                self.total = max(self.total or 0, told)

    def _add_node(self, event: LogEvent) -> None:
        info, unique_id = event.node_info, str(event.unique_id)
        if info.get("resource_type") == "operation":
            return
        node = self.nodes.setdefault(unique_id, Node("started", info.get("node_path")))
        if event.name == "NodeFinished":
            node.status = str(info.get("node_status"))

    def _add_cancelled(self, unique_id: str) -> None:
        node = self.nodes.get(unique_id)
        if node is not None and node.status == "started":
            node.cancelled = True

    def counts(self, *, ended: bool = False) -> NodeCounts | None:
        """The nodes counted by status; None until dbt has told how many there are."""
        if self.total is None and not self.nodes:
            return None
        counted = Counter(COUNTED_AS.get(node.status, "error") for node in self.nodes.values())
        if ended:
            counted["running"] = 0
        return NodeCounts(**counted, total=max(self.total or 0, len(self.nodes)))


_remembered: OrderedDict[str, Progress] = OrderedDict()
_lock = threading.Lock()


def progress_of(record: Record) -> Progress:
    """How far the dbt is that writes this record's log."""
    with _lock:
        progress = _remembered.pop(record.identity, None) or Progress()
        progress.read_on(record)
        _remembered[record.identity] = progress
        while len(_remembered) > REMEMBERED:
            _remembered.popitem(last=False)
        return replace(progress, nodes=dict(progress.nodes))


def facts_of_end(record: Record) -> dict[str, Any]:
    """What the log of an ended dbt gives to its invocation's row: dbt's own id and the final counts."""
    progress = progress_of(record)
    counts = progress.counts(ended=True)
    return {
        "invocation_id": progress.invocation_id,
        "counts": counts.model_dump(by_alias=True) if counts is not None else None,
    }
