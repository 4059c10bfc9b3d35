"""When Airflow's components count as started."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stack.checks import airflow_api_ready, answers, has_beaten

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def health(status: str, beat: datetime | None) -> dict[str, Any]:
    return {"scheduler": {"status": status, "latest_scheduler_heartbeat": beat.isoformat() if beat else None}}


@pytest.mark.parametrize(
    ("status", "beat", "expected"),
    [
        ("healthy", START + timedelta(seconds=1), True),
        ("healthy", START - timedelta(seconds=1), False),
        ("unhealthy", START + timedelta(seconds=1), False),
        ("unhealthy", None, False),
    ],
)
def test_only_a_heartbeat_after_the_start_counts(status: str, beat: datetime | None, expected: bool) -> None:
    assert has_beaten(health(status, beat), "scheduler", START) is expected


def test_a_component_that_airflow_does_not_know_yet() -> None:
    assert not has_beaten({"triggerer": {"status": None}}, "triggerer", START)
    assert not has_beaten({}, "triggerer", START)


def test_nothing_listens() -> None:
    assert not answers("http://127.0.0.1:1/health")
    assert not airflow_api_ready("http://127.0.0.1:1")
