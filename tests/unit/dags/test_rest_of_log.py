"""The end of a pod's log that the provider did not read. With a real outage: tests/cluster/test_failures.py."""

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("airflow.sdk")

import pendulum

from contracts.names import DBT_CONTAINER

POD = SimpleNamespace(metadata=SimpleNamespace(name="dbt-1", namespace="dbt"))
READ = pendulum.datetime(2026, 1, 1, 12, 0, 5)


class Cluster:
    """Its API server and the provider's reader: a log that ends at a moment, and what was asked to be read again."""

    def __init__(self, last: str | None) -> None:
        self.last = last
        self.container_log_times = {("dbt", "dbt-1", DBT_CONTAINER): READ}
        self.read_from: list[Any] = []

    def read_namespaced_pod_log(self, *_: Any, **__: Any) -> str:
        if self.last is None:
            raise ConnectionError("refused")
        return self.last

    def fetch_container_logs(self, *_: Any, since_time: Any, **__: Any) -> None:
        self.read_from.append(since_time)


@pytest.mark.parametrize(
    ("last", "read_from"),
    [
        pytest.param("2026-01-01T12:00:05Z the last line\n", [], id="read whole"),
        pytest.param("2026-01-01T12:00:40.123456789Z said meanwhile\n", [READ], id="said while nobody could read"),
        pytest.param("", [], id="said nothing"),
        pytest.param(None, [], id="a cluster that is away fails no run"),
    ],
)
def test_only_what_was_missed_is_read(last: str | None, read_from: list[Any]) -> None:
    from dags.rest_of_log import RestOfLog

    cluster = Cluster(last)
    RestOfLog.on_pod_completion(pod=POD, client=cluster, operator=SimpleNamespace(pod_manager=cluster))
    assert cluster.read_from == read_from
