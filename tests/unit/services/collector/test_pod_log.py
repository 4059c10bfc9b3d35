"""A pod's log is kept whole and once, whoever tells it and however often."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.operators import OperatorName
from models.run import Invocation, Run
from services import logs
from services.clusters import PodNews
from services.clusters.news import pod_news
from services.collector.pod_log import PodLog
from services.database import session
from services.errors import NotFound


@pytest.fixture
def invocation() -> Invocation:
    run = Run(project="p", dag_id="d", dag_run_id="r", operator=OperatorName.KUBERNETES, command="build")
    with session() as opened:
        opened.add(run)
        opened.flush()
        made = Invocation(run_id=run.id or 0, try_number=1, task_id="try-1")
        opened.add(made)
    return made


class Cluster:
    """Gives the lines that a test says, then ends the stream."""

    def __init__(self, *lines: str) -> None:
        self.lines = [f"2026-01-01T00:00:{number:02}.000000001Z {line}" for number, line in enumerate(lines)]
        self.asked: list[str | None] = []

    def follow_log(
        self, namespace: str, pod: str, container: str, *, since: str | None, is_over: bool
    ) -> Iterator[tuple[str, str]]:
        self.asked.append(since)
        for line in self.lines:
            stamp, _, text = line.partition(" ")
            if since is None or stamp >= since:
                yield stamp, text


def pod(state: str = "running") -> PodNews:
    status = {"containerStatuses": [{"name": "base", "state": {state: {}}}]}
    return pod_news({"metadata": {"name": "x", "namespace": "n", "uid": "u"}, "spec": {}, "status": status})


def event(message: str, number: int) -> str:
    return json.dumps({"info": {"msg": message, "ts": f"2026-01-01T00:00:00.{number:06}Z", "name": "E"}, "data": {}})


def read(log: PodLog, cluster: Any, seen: PodNews) -> None:
    for _ in range(200):
        log.follow(cluster, seen)
        log.keep_new()
        if log.is_whole(seen) or (seen.dbt and seen.dbt.state == "running" and not log.is_reading):
            return
        time.sleep(0.01)
    raise AssertionError("the log did not end")


def kept(invocation: Invocation) -> list[str]:
    return logs.path_of(invocation).read_text().splitlines()


def test_a_stream_that_breaks_is_read_on_without_loss_or_doubles(invocation: Invocation) -> None:
    cluster = Cluster(event("a", 1), "plain", "plain", event("b", 2))
    read(PodLog(invocation), cluster, pod())
    cluster.lines.append(f"2026-01-01T00:00:09.000000001Z {event('c', 3)}")
    with session() as opened:
        stored = opened.get_one(Invocation, invocation.id)
    read(PodLog(stored), cluster, pod("terminated"))
    assert kept(invocation) == [event("a", 1), "plain", "plain", event("b", 2), event("c", 3)]
    assert cluster.asked[0] is None
    assert cluster.asked[1] == "2026-01-01T00:00:03.000000001Z"


def test_a_log_is_whole_only_when_it_was_read_after_the_container_ended(invocation: Invocation) -> None:
    log, cluster = PodLog(invocation), Cluster(event("a", 1))
    read(log, cluster, pod())
    assert not log.is_whole(pod("terminated"))
    read(log, cluster, pod("terminated"))
    assert log.is_whole(pod("terminated"))


class Forgetful(Cluster):
    """Tells the first line only: the container was removed."""

    def follow_log(
        self, namespace: str, pod: str, container: str, *, since: str | None, is_over: bool
    ) -> Iterator[tuple[str, str]]:
        yield from super().follow_log(namespace, pod, container, since=since, is_over=is_over)
        raise NotFound("The node has no more of the log.")


def test_a_log_that_the_node_has_no_more_is_not_taken_for_whole(invocation: Invocation) -> None:
    log, cluster, ended = PodLog(invocation), Forgetful(event("a", 1)), pod("terminated")
    for _ in range(3):
        log.follow(cluster, ended)  # type: ignore[arg-type]
        while log.is_reading:
            log.keep_new()
    assert kept(invocation) == [event("a", 1)]
    assert not log.is_whole(ended)
    assert log.is_withheld(ended)


def test_airflows_copy_completes_what_the_pod_did_not_tell(invocation: Invocation) -> None:
    log = PodLog(invocation)
    read(log, Cluster(event("a", 1), "plain"), pod())
    lines = [event("a", 1), "plain", "plain", event("b", 2), event("b", 2)]
    text = "2026-01-01T00:00:00Z INFO Airflow's own\n" + "".join(
        f"2026-01-01T00:00:00Z INFO [base] {x}\n" for x in lines
    )
    logs.append(logs.path_of(invocation, "airflow"), 0, text.encode())
    assert log.keep_from_task_log() == 2
    assert kept(invocation) == [event("a", 1), "plain", "plain", event("b", 2)]
    assert log.invocation.log_from_airflow


def test_what_airflow_told_meanwhile_does_not_come_again_from_the_pod(invocation: Invocation) -> None:
    log = PodLog(invocation)
    logs.append(logs.path_of(invocation, "airflow"), 0, f"2026-01-01T00:00:00Z INFO [base] {event('a', 1)}\n".encode())
    assert log.keep_from_task_log() == 1
    read(log, Cluster(event("a", 1), event("b", 2)), pod())
    assert kept(invocation) == [event("a", 1), event("b", 2)]


def test_airflows_copy_of_a_long_line_is_the_same_event(invocation: Invocation) -> None:
    """The provider hands on the time stamps that an older kubelet puts between the parts of a long line."""
    log, long = PodLog(invocation), event("x" * 20_000, 1)
    read(log, Cluster(long), pod())
    told = f"{long[:16_384]}2026-01-01T00:00:00.123Z {long[16_384:]}"
    logs.append(logs.path_of(invocation, "airflow"), 0, f"2026-01-01T00:00:00Z INFO [base] {told}\n".encode())
    assert log.keep_from_task_log() == 0
    assert kept(invocation) == [long]
