"""Where a run's time went, from its moments and its nodes'."""

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.operators import OperatorName
from models.run import NodeResult, Run
from models.run_state import NodeStatus, RunState
from services.timeline import stages, timeline

START = datetime(2026, 11, 25, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def node(name: str, start: float, end: float | None, thread: str = "Thread-1") -> NodeResult:
    return NodeResult(
        invocation_id=1,
        unique_id=name,
        name=name,
        resource_type="model",
        status=NodeStatus.SUCCESS if end is not None else NodeStatus.STARTED,
        started_at=at(start),
        finished_at=None if end is None else at(end),
        thread=thread,
    )


def run(**moments: float) -> Run:
    values: dict[str, Any] = {name: at(moment) for name, moment in moments.items()}
    return Run(
        project="shop",
        dag_id="d",
        dag_run_id="r",
        operator=OperatorName.DBT_API,
        command="build",
        state=RunState.SUCCEEDED if "finished_at" in moments else RunState.RUNNING,
        created_at=at(0),
        **values,
    )


def test_the_stages_of_a_finished_run_cover_it_without_a_gap() -> None:
    nodes = [node("a", 5, 7), node("b", 6, 9)]
    found = stages(run(handed_over_at=0.5, started_at=2, finished_at=10), nodes)
    assert [(stage.name, stage.start, stage.end) for stage in found] == [
        ("Handed to Airflow", 0, 0.5),
        ("Airflow and queues", 0.5, 2),
        ("dbt starts and parses", 2, 5),
        ("Nodes", 5, 9),
        ("Wrapping up", 9, 10),
    ]


def test_a_live_run_is_in_its_last_stage_until_now() -> None:
    found = stages(run(handed_over_at=0.5, started_at=2), [node("a", 5, None)])
    assert [stage.name for stage in found][-1] == "Nodes"
    assert stages(run(), [])[-1].name == "Airflow and queues"


def test_the_critical_path_follows_the_ancestors_that_ended_last() -> None:
    nodes = [
        node("seed", 0, 1),
        node("quick", 1, 2, "Thread-1"),
        node("slow", 1, 6, "Thread-2"),
        node("mart", 6, 8, "Thread-1"),
        node("other", 2, 5, "Thread-1"),
    ]
    graph = {"mart": ["quick", "slow", "not_in_this_run"], "slow": ["seed"], "quick": ["seed"]}
    found = timeline(nodes, graph)
    assert found is not None
    assert [bar.node.name for bar in found.critical] == ["seed", "slow", "mart"]
    assert (found.critical_seconds, found.peak) == (8, 2)
    assert found.busy_share == 12 / 16


def test_what_still_runs_lasts_until_the_end() -> None:
    found = timeline([node("a", 0, 2), node("b", 1, None)], {}, until=at(11))
    assert found is not None
    assert [(bar.node.name, bar.start, bar.end) for bar in found.bars] == [("a", 0, 2), ("b", 1, 11)]


def test_a_circle_in_an_old_graph_ends_the_path() -> None:
    found = timeline([node("a", 0, 2), node("b", 2, 3)], {"a": ["b"], "b": ["a"]})
    assert found is not None
    assert len(found.critical) == 2


def test_no_node_no_timeline() -> None:
    assert timeline([], {}) is None


def test_a_skipped_node_had_no_time() -> None:
    skipped = node("later", 2, None)
    skipped.status = NodeStatus.SKIPPED
    found = timeline([node("a", 0, 2), skipped], {"later": ["a"]}, until=at(60))
    assert found is not None
    assert [bar.node.name for bar in found.bars] == ["a"]
