"""Long-running operations: they take a while, tell how far they are, and end well or with Google's error."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.cloud.container_v1 import types

from tests.google.clusters import API, now
from tests.google.errors import Refusal

Kind: Any = types.Operation.Type
"""The proto-plus enums are not typed as such."""
Status: Any = types.Operation.Status
_PHASES = ("CLUSTER_CONFIGURING", "CLUSTER_DEPLOYING", "CLUSTER_HEALTHCHECKING")
_STEPS = 3
"""Steps of each phase of making a cluster."""


@dataclass
class Running:
    """One operation, and what it does when it ends."""

    parent: str
    kind: int
    target: str
    seconds: float
    finish: Callable[[], object]
    fail: Callable[[Refusal], object]
    error: Refusal | None = None
    is_held: bool = False
    name: str = field(default_factory=lambda: f"operation-{time.time_ns() // 1_000_000}-{uuid.uuid4()}")
    started: float = field(default_factory=time.monotonic)
    started_at: str = field(default_factory=now)
    ended_at: str = ""
    status: int = Status.RUNNING

    @property
    def share(self) -> float:
        """How much of it is done; a held one stays before its end."""
        if self.status is Status.DONE:
            return 1.0
        done = (time.monotonic() - self.started) / self.seconds if self.seconds else 1.0
        return min(done, 0.6) if self.is_held else min(done, 1.0)

    def settle(self) -> None:
        """End it when its time has come."""
        if self.status is not Status.DONE and self.share >= 1.0:
            self.end()

    def end(self) -> None:
        """End it now, with its error if it was given one."""
        self.status, self.ended_at = Status.DONE, now()
        if self.error:
            self.fail(self.error)
        else:
            self.finish()

    def message(self) -> types.Operation:
        """As the API shows it."""
        location = self.parent.split("/")[3]
        shown = types.Operation(
            name=self.name,
            operation_type=self.kind,
            status=self.status,
            location=location,
            zone=location,
            self_link=f"{API}{self.parent}/operations/{self.name}",
            target_link=API + self.target,
            start_time=self.started_at,
            end_time=self.ended_at,
        )
        if self.kind is Kind.CREATE_CLUSTER:
            shown.progress = _progress(self.share)
        if self.error and self.status is Status.DONE:
            shown.error = self.error.status()
            shown.status_message = self.error.message
        return shown


def _progress(share: float) -> types.OperationProgress:
    metric = types.OperationProgress.Metric
    done = round(share * _STEPS * len(_PHASES))
    metrics = []
    for number, phase in enumerate(_PHASES):
        steps = max(0, min(_STEPS, done - number * _STEPS))
        if steps or number == 0:
            metrics += [metric(name=phase, int_value=steps), metric(name=f"{phase}_TOTAL", int_value=_STEPS)]
    return types.OperationProgress(metrics=metrics)
