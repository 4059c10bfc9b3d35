"""Where a run's time went, from its moments and its nodes'."""

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.operators import OperatorName
from models.cluster import Pod
from models.run import Invocation, NodeResult, Run
from models.run_state import NodeStatus, RunState
from services.run.manifests import read_manifest
from services.run.run_stages import Stage, stages
from services.run.timeline import idle_shares, timeline

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


def test_a_test_that_build_ran_in_between_is_on_the_critical_path() -> None:
    check = node("check", 2, 5)
    check.resource_type = "test"
    late = node("late_check", 2, 9, "Thread-2")
    late.resource_type = "test"
    nodes = [node("base", 0, 2), check, late, node("mart", 5, 12)]
    found = timeline(nodes, {"check": ["base"], "late_check": ["base"], "mart": ["base"]})
    assert found is not None
    assert [bar.node.name for bar in found.critical] == ["base", "check", "mart"]


def test_threads_that_never_worked_were_idle_too() -> None:
    nodes = [node("a", 0, 4), node("b", 0, 1, "Thread-2")]
    found = timeline(nodes, {}, threads=4)
    assert found is not None
    assert (found.threads, found.busy_share) == (4, 5 / 16)
    assert idle_shares(found) == {"Thread-1": 0, "Thread-2": 0.75}


def invocation(**moments: float) -> Invocation:
    values: dict[str, Any] = {name: at(moment) for name, moment in moments.items()}
    return Invocation(run_id=1, try_number=1, task_id="t", **values)


def names_and_seconds(found: list[Stage]) -> dict[str, float]:
    return {stage.name: stage.seconds for stage in found}


def test_the_dbt_apis_queue_dbts_start_and_parsing_are_told_apart() -> None:
    tried = invocation(submitted_at=2, started_at=3, dbt_began_at=4, parsed_at=7, dbt_ended_at=10)
    found = stages(run(handed_over_at=0.5, started_at=3, finished_at=12), [node("a", 8, 9)], tried)
    assert names_and_seconds(found) == {
        "Handed to Airflow": 0.5,
        "Airflow": 1.5,
        "dbt API's queue": 1,
        "dbt starts": 1,
        "Parsing": 3,
        "Reading schemas": 1,
        "Nodes": 1,
        "dbt wraps up": 1,
        "Airflow ends the run": 2,
    }


def pod(**seconds: float) -> Pod:
    steps = [{"at": at(second).isoformat(), "title": title.replace("_", " ")} for title, second in seconds.items()]
    return Pod(
        invocation_id=1, cluster="c", namespace="n", name="p", uid="u", phase="Succeeded", image="i", steps=steps
    )


def test_a_pods_scheduling_image_pull_and_cloning_are_told_apart() -> None:
    seen = pod(Created=4, Scheduled=5, Pulling=5, Pulled=25, Container_source_started=26, Container_source_ended=29)
    tried = invocation(started_at=30, dbt_began_at=33, parsed_at=35, dbt_ended_at=40)
    found = names_and_seconds(stages(run(handed_over_at=1, started_at=30, finished_at=41), [], tried, seen))
    told = {
        name: found[name] for name in ("Airflow", "Pod scheduling", "Image pull", "Cloning", "dbt starts", "Parsing")
    }
    assert told == {"Airflow": 3, "Pod scheduling": 1, "Image pull": 20, "Cloning": 3, "dbt starts": 3, "Parsing": 2}


def test_a_pod_whose_image_was_there_pulls_none() -> None:
    found = stages(run(handed_over_at=1), [], None, pod(Created=4, Scheduled=5))
    assert [stage.name for stage in found] == ["Handed to Airflow", "Airflow", "Pod scheduling", "Pod starts"]


def test_clocks_that_disagree_make_no_stage_shorter_than_nothing() -> None:
    found = stages(run(handed_over_at=5, started_at=4, finished_at=9), [], invocation(submitted_at=3, started_at=4))
    assert all(stage.seconds >= 0 for stage in found)
    assert found[-1].end == 9


def test_an_exposure_that_ends_a_build_has_its_models_before_it_on_the_critical_path() -> None:
    model, exposure = "model.shop.mart", "exposure.shop.board"
    manifest = read_manifest(
        {"nodes": {model: {}}, "exposures": {exposure: {"depends_on": {"nodes": [model]}}}},
    )
    found = timeline([node(model, 0, 8), node(exposure, 8, 8.1)], manifest.depends_on)
    assert found is not None
    assert [bar.node.unique_id for bar in found.critical] == [model, exposure]
