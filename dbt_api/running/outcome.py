"""What an ended dbt process means: state, outcome, and a message that names what failed and why.

Read from three witnesses: how the process ended (exit.json), dbt's own log events, and why we stopped it, if we did.
dbt's exit codes: 0 success, 1 a node failed, 2 dbt could not do it (docs.getdbt.com/reference/exit-codes).
"""

import io
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from contracts.dbt_api import InvocationState, Outcome
from contracts.log_event import LogEvent, parse_log_line
from dbt_api.projects.problems import plain_text
from dbt_api.records.marked import lines_with
from dbt_api.running.attempt import Ending
from dbt_api.tables import StopReason

FAILED = {"error", "fail", "runtime error", "partial success"}
TOLD = (
    *(b"MainReportVersion", b"NodeFinished", b"StatsLine", b"NoNodesSelected", b"NothingToDo"),
    *(b'"level": "error"', b'"level":"error"', b'"name": ""', b'"name":""'),
)
"""dbt v2 writes the same lines, but often with an empty name."""
VERSION_2 = re.compile(r"\bdbt[ =]+v?(2\.[\w.]+)")
MEMORY_WORDS = re.compile(r"MemoryError|bad_alloc|Out of Memory|[Cc]annot allocate memory|can't start new thread")
MESSAGE_LIMIT = 4000
PIECE = 1 << 20


@dataclass(frozen=True)
class Verdict:
    """The final state of an invocation and its reason."""

    state: InvocationState
    outcome: Outcome
    exc_type: str | None = None
    exc_message: str | None = None


@dataclass
class Story:
    """What dbt's log tells of one invocation."""

    dbt_version: str | None = None
    warned: bool = False
    nothing_selected: bool = False
    nameless: bool = False
    failures: list[tuple[str, str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)

    @property
    def is_version_2(self) -> bool:
        """Whether dbt v2 wrote it."""
        return self.nameless or (self.dbt_version or "").startswith("2.")

    @property
    def tells_of_memory(self) -> bool:
        """Whether something failed because an allocation did."""
        messages = [*(message for _, _, message in self.failures), *self.errors, *self.plain]
        return any(MEMORY_WORDS.search(each) for each in messages)

    def add(self, event: LogEvent) -> None:
        """Take one event in."""
        if event.name == "MainReportVersion":
            self.dbt_version = str(event.data.get("version", "")).lstrip("=v") or None
        elif not event.name and event.timestamp is not None:
            self._add_nameless(event)
        elif event.name in ("NoNodesSelected", "NothingToDo"):
            self.nothing_selected = True
        elif event.name == "NodeFinished":
            self._add_node(event)
        elif not event.name:
            self.plain = [*self.plain[-20:], event.message]
        elif event.level == "error":
            self.errors = [*self.errors[-20:], plain_text(event.message)]

    def _add_nameless(self, event: LogEvent) -> None:
        self.nameless = True
        version = VERSION_2.search(event.message)
        self.dbt_version = self.dbt_version or (version[1] if version else None)
        if "run_result" in event.data:
            self._add_node(event)
        elif event.level == "error":
            self.errors = [*self.errors[-20:], plain_text(event.message)]

    def _add_node(self, event: LogEvent) -> None:
        info = event.node_info
        status = str(info.get("node_status"))
        self.warned = self.warned or status == "warn"
        if status in FAILED:
            message = str((event.data.get("run_result") or {}).get("message") or event.message)
            self.failures.append((str(info.get("resource_type")), str(event.unique_id), message.strip()))


def read_story(log: Path) -> Story:
    """Read the log piece by piece, whatever its size; only lines that matter are parsed."""
    story = Story()
    for lines in _pieces(log):
        for line in lines_with(TOLD, lines) if _are_events(lines) else io.BytesIO(lines):
            if not line.startswith(b"{") or any(mark in line for mark in TOLD):
                story.add(parse_log_line(line.decode(errors="replace")))
    return story


def _are_events(lines: bytes) -> bool:
    """Whether all of them begin as events do."""
    return 1 + lines.count(b"\n{") == lines.count(b"\n") + (not lines.endswith(b"\n")) and lines.startswith(b"{")


def _pieces(log: Path) -> Iterator[bytes]:
    """Whole lines, some at a time."""
    if log.exists():
        with log.open("rb") as file:
            while lines := file.read(PIECE) + file.readline():
                yield lines


def judge(
    ending: Ending | None, story: Story, *, stopped: StopReason | None, because: str | None, memory_limit_mb: int = 0
) -> Verdict:
    """The verdict. A stop that came too late to matter leaves a success a success.

    Not so with dbt v2, which reports a model that it cancelled as a success (dbt-core#15574).
    """
    if ending is not None and ending.exit_code == 0 and not (stopped and story.is_version_2):
        return Verdict(InvocationState.SUCCESS, _kind_of_success(story))
    if stopped is not None:
        return _stopped(stopped, because)
    if ending is None:
        return failure(Outcome.WORKER_LOST, "dbt's process disappeared without an exit status: it was killed.")
    if memory_limit_mb and story.tells_of_memory:
        return failure(Outcome.OUT_OF_MEMORY, f"dbt needed more memory than its limit of {memory_limit_mb} MiB.")
    if ending.signal is not None:
        return _killed(ending.signal)
    return _failed(story, ending.exit_code)


def failure(outcome: Outcome, message: str) -> Verdict:
    """FAILURE with the type that clients know this outcome by."""
    return Verdict(InvocationState.FAILURE, outcome, EXCEPTIONS[outcome], message[:MESSAGE_LIMIT])


EXCEPTIONS = {
    Outcome.MODEL_ERROR: "DbtModelError",
    Outcome.TEST_FAILURE: "DbtTestFailure",
    Outcome.USAGE_ERROR: "DbtUsageError",
    Outcome.TIMEOUT: "TimeoutError",
    Outcome.WORKER_LOST: "WorkerLostError",
    Outcome.OUT_OF_MEMORY: "OutOfMemory",
}


def _kind_of_success(story: Story) -> Outcome:
    if story.nothing_selected:
        return Outcome.NOTHING_TO_DO
    return Outcome.WARN if story.warned else Outcome.SUCCESS


def _stopped(stopped: StopReason, because: str | None) -> Verdict:
    if stopped is StopReason.ABORT:
        message = because or "Aborted on request."
        return Verdict(InvocationState.ABORTED, Outcome.ABORTED, "Aborted", message[:MESSAGE_LIMIT])
    if stopped is StopReason.TIMEOUT:
        return failure(Outcome.TIMEOUT, because or "dbt ran longer than its time limit and was stopped.")
    return failure(Outcome.WORKER_LOST, because or "The dbt API server was stopped while dbt ran.")


def _killed(number: int) -> Verdict:
    name = signal.Signals(number).name
    if number == signal.SIGKILL:
        hint = "the kernel does so when memory runs out: give the machine more, or run with fewer threads."
        return failure(Outcome.OUT_OF_MEMORY, f"dbt was killed by signal 9 (SIGKILL) from outside; {hint}")
    if number == signal.SIGINT:
        return Verdict(InvocationState.ABORTED, Outcome.ABORTED, "Aborted", "dbt was interrupted from outside.")
    return failure(Outcome.WORKER_LOST, f"dbt was ended by signal {number} ({name}) from outside.")


def _failed(story: Story, exit_code: int | None) -> Verdict:
    if not story.failures:
        words = story.errors or story.plain or [f"dbt ended with exit code {exit_code} and said nothing."]
        return failure(Outcome.USAGE_ERROR, "\n".join(words).strip())
    shown = [f"{unique_id}: {message}" for _, unique_id, message in story.failures[:3]]
    if len(story.failures) > 3:
        shown.append(f"… and {len(story.failures) - 3} more failed.")
    only_tests = all(kind in ("test", "unit_test") for kind, _, _ in story.failures)
    return failure(Outcome.TEST_FAILURE if only_tests else Outcome.MODEL_ERROR, "\n".join(shown))
