"""What is kept of a pod while the cluster tells of it bit by bit."""

from datetime import UTC, datetime
from typing import Any

from contracts.operators import OperatorName
from models.run import Invocation, Run
from models.run_state import RunState
from services import logs
from services.clusters import PodEvent, PodNews, pod_of
from services.clusters.news import event_news, pod_news
from services.collector.pods import close_pod, note_gone, note_pod
from services.database import session


def pod(**status: Any) -> PodNews:
    metadata = {"name": "x", "namespace": "n", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"}
    return pod_news({"metadata": metadata, "spec": {"containers": [{"name": "base"}]}, "status": status})


def warning(uid: str, message: str, second: int, *, count: int = 1) -> PodEvent:
    at = datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC).isoformat()
    told = {"reason": "Failed", "message": message, "type": "Warning", "lastTimestamp": at, "count": count}
    return event_news({"metadata": {"uid": uid}, **told})


def steps_after(*rounds: list[PodEvent]) -> list[tuple[str, str]]:
    run = Run(project="p", dag_id="d", dag_run_id="r", operator=OperatorName.KUBERNETES, command="build")
    with session() as opened:
        opened.add(run)
        opened.flush()
        invocation = Invocation(run_id=run.id or 0, try_number=1, task_id="try-1")
        opened.add(invocation)
    for events in rounds:
        note_pod(run, invocation, "test", pod(), events)
    kept = pod_of(invocation.id or 0)
    assert kept is not None
    return [(step["title"], step["text"]) for step in kept.steps if step["title"] != "Created"]


def test_an_event_that_the_cluster_has_forgotten_stays_beside_a_newer_one_of_the_same_kind() -> None:
    pull, start = warning("1", "Failed to pull image", 1), warning("2", "Error: cannot start", 2)
    assert steps_after([pull], [], [start], []) == [
        ("Failed", "Failed to pull image"),
        ("Failed", "Error: cannot start"),
    ]


def test_an_event_that_happens_again_is_one_step_with_its_count() -> None:
    told = steps_after([warning("1", "Back-off", 1)], [warning("1", "Back-off", 9, count=4)])
    assert told == [("Failed", "Back-off (4 times)")]


def test_what_a_second_try_waited_for_is_not_said_any_more_when_dbt_runs_in_it() -> None:
    run = Run(project="p", dag_id="d", dag_run_id="r", operator=OperatorName.KUBERNETES, command="build")
    run.state = RunState.RUNNING
    with session() as opened:
        opened.add(run)
        opened.flush()
        second = Invocation(run_id=run.id or 0, try_number=2, task_id="try-2")
        opened.add(second)
    running = [{"name": "base", "state": {"running": {"startedAt": "2026-01-01T00:00:09Z"}}}]
    for news, said in ((pod(), "The pod waits to be put on a node."), (pod(containerStatuses=running), None)):
        note_pod(run, second, "test", news, [])
        with session() as opened:
            fresh = opened.get_one(Run, run.id)
        assert (fresh.state, fresh.message) == (RunState.RUNNING, said)


def test_the_story_of_a_pod_that_was_deleted_before_its_end_was_seen_is_completed() -> None:
    run = Run(project="p", dag_id="d", dag_run_id="r", operator=OperatorName.KUBERNETES, command="build")
    with session() as opened:
        opened.add(run)
        opened.flush()
        invocation = Invocation(run_id=run.id or 0, try_number=1, task_id="try-1")
        opened.add(invocation)
    running = [{"name": "base", "state": {"running": {"startedAt": "2026-01-01T00:00:09Z"}}}]
    note_pod(run, invocation, "test", pod(containerStatuses=running), [])
    note_gone(invocation)
    told = b"2026-01-01T00:00:20Z ERROR Container 'base': state='TERMINATED', reason='Error', exit_code=2, message=''\n"
    logs.append(logs.path_of(invocation, "airflow"), 0, told)
    close_pod(invocation, is_whole=False)
    kept = pod_of(invocation.id or 0)
    assert kept is not None
    last = kept.steps[-1]
    assert (last["title"], last["text"], last["is_warning"]) == ("dbt ended", "exit code 2", True)
