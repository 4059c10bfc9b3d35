"""What the ending of a process and dbt's events mean together."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.dbt_api import InvocationState, Outcome
from dbt_api.running.attempt import Ending
from dbt_api.running.outcome import Story, judge, read_story
from dbt_api.tables import StopReason


def ending(code: int | None = None, signal: int | None = None) -> Ending:
    return Ending(exit_code=code, signal=signal, peak_rss_kb=1, finished_at=datetime.now(UTC))


def node(kind: str, name: str, status: str) -> dict[str, Any]:
    info = {"resource_type": kind, "unique_id": f"{kind}.shop.{name}", "node_status": status}
    data = {"node_info": info, "run_result": {"message": f"{name} went wrong"}}
    return {"info": {"name": "NodeFinished", "level": "debug", "msg": ""}, "data": data}


def story(tmp_path: Path, *events: dict[str, Any] | str) -> Story:
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    (tmp_path / "log").write_text("".join(line + "\n" for line in lines))
    return read_story(tmp_path / "log")


@pytest.mark.parametrize(
    ("ended", "stopped", "expected"),
    [
        (ending(0), None, (InvocationState.SUCCESS, Outcome.SUCCESS, None)),
        (ending(0), StopReason.ABORT, (InvocationState.SUCCESS, Outcome.SUCCESS, None)),
        (ending(2), StopReason.ABORT, (InvocationState.ABORTED, Outcome.ABORTED, "Aborted")),
        (ending(2), StopReason.TIMEOUT, (InvocationState.FAILURE, Outcome.TIMEOUT, "TimeoutError")),
        (ending(2), StopReason.SHUTDOWN, (InvocationState.FAILURE, Outcome.WORKER_LOST, "WorkerLostError")),
        (ending(signal=9), StopReason.ABORT, (InvocationState.ABORTED, Outcome.ABORTED, "Aborted")),
        (ending(signal=9), None, (InvocationState.FAILURE, Outcome.OUT_OF_MEMORY, "OutOfMemory")),
        (ending(signal=15), None, (InvocationState.FAILURE, Outcome.WORKER_LOST, "WorkerLostError")),
        (ending(2), None, (InvocationState.FAILURE, Outcome.USAGE_ERROR, "DbtUsageError")),
        (None, None, (InvocationState.FAILURE, Outcome.WORKER_LOST, "WorkerLostError")),
        (None, StopReason.ABORT, (InvocationState.ABORTED, Outcome.ABORTED, "Aborted")),
    ],
)
def test_endings(ended: Ending | None, stopped: StopReason | None, expected: tuple[Any, ...]) -> None:
    verdict = judge(ended, Story(), stopped=stopped, because=None)
    assert (verdict.state, verdict.outcome, verdict.exc_type) == expected
    assert (verdict.exc_message is None) == (verdict.state is InvocationState.SUCCESS)


def test_failed_models_come_with_dbts_words(tmp_path: Path) -> None:
    told = story(tmp_path, node("model", "a", "error"), node("test", "t", "fail"), node("model", "b", "success"))
    verdict = judge(ending(1), told, stopped=None, because=None)
    assert verdict.outcome is Outcome.MODEL_ERROR
    assert verdict.exc_message == "model.shop.a: a went wrong\ntest.shop.t: t went wrong"


def test_failed_tests_alone_are_a_test_failure(tmp_path: Path) -> None:
    told = story(tmp_path, *(node("test", f"t{number}", "fail") for number in range(5)))
    verdict = judge(ending(1), told, stopped=None, because=None)
    assert (verdict.outcome, verdict.exc_type) == (Outcome.TEST_FAILURE, "DbtTestFailure")
    assert verdict.exc_message is not None
    assert verdict.exc_message.endswith("… and 2 more failed.")


def test_kinds_of_success(tmp_path: Path) -> None:
    warned = story(tmp_path, node("test", "t", "warn"))
    assert judge(ending(0), warned, stopped=None, because=None).outcome is Outcome.WARN
    nothing = story(tmp_path, {"info": {"name": "NoNodesSelected", "level": "warn", "msg": "No nodes selected!"}})
    assert judge(ending(0), nothing, stopped=None, because=None).outcome is Outcome.NOTHING_TO_DO


def test_a_usage_error_outside_of_the_events_is_told(tmp_path: Path) -> None:
    told = story(tmp_path, "Usage: dbt [OPTIONS]", "Error: No such option '--nope'.")
    verdict = judge(ending(2), told, stopped=None, because=None)
    assert verdict.exc_message is not None
    assert "No such option '--nope'" in verdict.exc_message


def test_dbts_version_is_read(tmp_path: Path) -> None:
    event = {"info": {"name": "MainReportVersion", "level": "info", "msg": ""}, "data": {"version": "=1.12.6"}}
    assert story(tmp_path, event).dbt_version == "1.12.6"
