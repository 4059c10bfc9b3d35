"""What `/metrics` tells Prometheus.

Numbers about the queue are read from the database at the scrape, so every server tells the same; sum none of them over
servers. Numbers about requests and durations are this process's own: sum them over all servers and workers.
"""

import time
from collections import Counter as Tally
from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func
from sqlmodel import col, select

from contracts.dbt_api import InvocationState
from dbt_api.database import session
from dbt_api.running.command import COMMANDS, GROUPS
from dbt_api.tables import InvocationRow, now
from dbt_api.workers import registry

REGISTRY = CollectorRegistry()
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
SECONDS = (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600)
CACHE_SECONDS = 5.0
REQUESTS = Counter("dbt_api_requests", "Requests of this process.", ["method", "route", "status"], registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "dbt_api_request_seconds", "How long requests took, long polls included.", ["method", "route"], registry=REGISTRY
)
DURATION = Histogram(
    "dbt_invocation_duration_seconds",
    "From start to end of the invocations that this process ended.",
    ["project", "command", "state"],
    buckets=SECONDS,
    registry=REGISTRY,
)


def observe_duration(project: str, command: list[str], state: InvocationState, seconds: float) -> None:
    """Take one ended invocation into the histogram."""
    DURATION.labels(project, command_name(command[:2]), state.value).observe(seconds)


def command_name(words: list[str]) -> str:
    """dbt's command by the first two words of the line; `other` when an option stands in front of it."""
    name = " ".join(words) if words and words[0] in GROUPS else "".join(words[:1])
    return name if name in COMMANDS else "other"


class QueueCollector(Collector):
    """Reads the database at a scrape, at most every few seconds."""

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._metrics: list[Metric] = []

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: the registry would otherwise read the database when the module is imported."""
        return []

    def collect(self) -> Iterable[Metric]:
        """The metrics, read again when they are old."""
        if time.monotonic() - self._read_at > CACHE_SECONDS:
            self._metrics, self._read_at = list(_read()), time.monotonic()
        return self._metrics


REGISTRY.register(QueueCollector())


def rendered() -> bytes:
    """All metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)


def _read() -> Iterator[Metric]:
    yield _invocations()
    yield from _queue()
    alive = sum(is_alive for _, is_alive in registry.everybody())
    yield GaugeMetricFamily("dbt_workers_alive", "Workers whose lease holds.", alive)


def _invocations() -> Metric:
    words = [col(InvocationRow.command)[place].as_string() for place in (0, 1)]
    keys = (col(InvocationRow.state), col(InvocationRow.project), *words)
    with session() as opened:
        rows = opened.connection().execute(sa.select(*keys, sa.func.count()).group_by(*keys)).all()
    tally: Tally[tuple[str, str, str]] = Tally()
    for row in rows:
        tally[InvocationState(row[0]).value, row[1], command_name([row[2], row[3] or ""])] += row[4]
    family = CounterMetricFamily(
        "dbt_invocations", "Invocations on record by state.", labels=["state", "project", "command"]
    )
    for labels, number in sorted(tally.items()):
        family.add_metric(labels, number)
    return family


def _queue() -> Iterator[Metric]:
    state = col(InvocationRow.state)
    with session() as opened:
        queued, oldest = opened.exec(
            select(func.count(), func.min(InvocationRow.created_at)).where(state == InvocationState.PENDING)
        ).one()
        running = opened.exec(select(func.count()).where(state == InvocationState.STARTED)).one()
        again = func.coalesce(func.sum(col(InvocationRow.attempt) - 1), 0)
        recoveries = opened.exec(select(again).where(col(InvocationRow.attempt) > 1)).one()
    age = (now() - oldest).total_seconds() if oldest is not None else 0
    yield GaugeMetricFamily("dbt_queue_depth", "Invocations that wait.", queued)
    yield GaugeMetricFamily("dbt_queue_age_seconds", "How long the oldest of them has waited.", max(0, age))
    yield GaugeMetricFamily("dbt_invocations_running", "Invocations whose dbt runs.", running)
    yield CounterMetricFamily("dbt_recoveries", "Attempts after a first one that was lost.", recoveries)
