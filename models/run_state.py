"""The one table of run states, and of node statuses: word, icon, glyph, colour, and whether it is final.

Other systems' states are mapped to ours here, one table a system, and nowhere else.
"""

from dataclasses import dataclass
from enum import StrEnum

from contracts.dbt_api import InvocationState


@dataclass(frozen=True)
class StateStyle:
    """How a state is shown: in a word, a shape and a colour, so that colour alone never carries it."""

    word: str
    icon: str
    glyph: str
    colour: str
    is_terminal: bool

    @property
    def label(self) -> str:
        """Glyph and word, for places that draw no icons (table cells, plain text)."""
        return f"{self.glyph} {self.word}"


class RunState(StrEnum):
    """State of a run, whatever the operator."""

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def style(self) -> StateStyle:
        """How this state is shown."""
        return _RUN_STYLES[self]

    @property
    def is_terminal(self) -> bool:
        """Whether the run is over."""
        return self.style.is_terminal


_RUN_STYLES = {
    RunState.QUEUED: StateStyle("Queued", ":material/schedule:", "◷", "gray", is_terminal=False),
    RunState.STARTING: StateStyle("Starting", ":material/hourglass_top:", "◔", "orange", is_terminal=False),
    RunState.RUNNING: StateStyle("Running", ":material/play_circle:", "▶", "blue", is_terminal=False),
    RunState.SUCCEEDED: StateStyle("Succeeded", ":material/check_circle:", "✔", "green", is_terminal=True),
    RunState.FAILED: StateStyle("Failed", ":material/error:", "✖", "red", is_terminal=True),
    RunState.CANCELLED: StateStyle("Cancelled", ":material/cancel:", "⊘", "gray", is_terminal=True),
}


class NodeStatus(StrEnum):
    """Status of one node within an invocation: dbt's own words, plus interrupted."""

    STARTED = "started"
    SUCCESS = "success"
    PASS = "pass"  # noqa: S105
    WARN = "warn"
    NO_OP = "no-op"
    REUSED = "reused"
    PARTIAL = "partial success"
    FAIL = "fail"
    ERROR = "error"
    RUNTIME_ERROR = "runtime error"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"

    @property
    def style(self) -> StateStyle:
        """How this status is shown."""
        return _NODE_STYLES[self]

    @property
    def is_bad(self) -> bool:
        """Whether the node itself failed."""
        return self in (NodeStatus.FAIL, NodeStatus.ERROR, NodeStatus.RUNTIME_ERROR, NodeStatus.PARTIAL)

    @property
    def is_unfinished_business(self) -> bool:
        """Whether a retry from failure has to run the node again."""
        return self.is_bad or self in (NodeStatus.SKIPPED, NodeStatus.INTERRUPTED, NodeStatus.STARTED)


_NODE_STYLES = {
    NodeStatus.STARTED: StateStyle("Running", ":material/play_circle:", "▶", "blue", is_terminal=False),
    NodeStatus.SUCCESS: StateStyle("Success", ":material/check_circle:", "✔", "green", is_terminal=True),
    NodeStatus.PASS: StateStyle("Pass", ":material/check_circle:", "✔", "green", is_terminal=True),
    NodeStatus.WARN: StateStyle("Warn", ":material/warning:", "▲", "orange", is_terminal=True),
    NodeStatus.NO_OP: StateStyle("No-op", ":material/remove_circle:", "–", "gray", is_terminal=True),
    NodeStatus.REUSED: StateStyle("Reused", ":material/cached:", "↻", "gray", is_terminal=True),
    NodeStatus.PARTIAL: StateStyle("Partial", ":material/error:", "✖", "red", is_terminal=True),
    NodeStatus.FAIL: StateStyle("Fail", ":material/error:", "✖", "red", is_terminal=True),
    NodeStatus.ERROR: StateStyle("Error", ":material/error:", "✖", "red", is_terminal=True),
    NodeStatus.RUNTIME_ERROR: StateStyle("Runtime error", ":material/error:", "✖", "red", is_terminal=True),
    NodeStatus.SKIPPED: StateStyle("Skipped", ":material/skip_next:", "»", "gray", is_terminal=True),
    NodeStatus.INTERRUPTED: StateStyle("Interrupted", ":material/front_hand:", "⊘", "orange", is_terminal=True),
}

FROM_AIRFLOW_DAG_RUN = {
    "queued": RunState.QUEUED,
    "running": RunState.STARTING,
    "success": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
}
"""An Airflow DAG run that is running has only started for us: dbt's own state decides when it runs."""

FROM_DBT_API = {
    InvocationState.PENDING: RunState.STARTING,
    InvocationState.STARTED: RunState.RUNNING,
    InvocationState.SUCCESS: RunState.SUCCEEDED,
    InvocationState.FAILURE: RunState.FAILED,
    InvocationState.ABORTED: RunState.CANCELLED,
    InvocationState.NOT_FOUND: RunState.STARTING,
    InvocationState.INTERNAL_ERROR: RunState.FAILED,
}
