"""The graph of a run's nodes: tests folded in, bounded in a large run, around what a reader looks for."""

from models.run import NodeResult
from models.run_state import NodeStatus
from services.run.run_lineage import NEAR, lineage_of
from services.ui.run.digraph import Box, digraph


def node(name: str, status: NodeStatus = NodeStatus.SUCCESS, kind: str = "model") -> NodeResult:
    return NodeResult(invocation_id=1, unique_id=name, name=name, resource_type=kind, status=status)


def test_tests_are_counted_on_what_they_test() -> None:
    results = [node("a"), node("b"), node("t1", NodeStatus.PASS, "test"), node("t2", NodeStatus.FAIL, "test")]
    found = lineage_of(results, {"b": ["a", "not_in_this_run"], "t1": ["a"], "t2": ["a"]})
    told = {each.unique_id: (each.tests_good, each.tests_bad) for each in found.nodes}
    assert told == {"a": (1, 1), "b": (0, 0)}
    assert found.edges == [("a", "b")]
    assert found.left_out == 0


def test_what_waits_for_its_turn_is_shown_where_everything_runs() -> None:
    graph = {"model.a": [], "model.b": ["model.a"], "test.t": ["model.b"], "source.s": []}
    done = node("model.a")
    found = lineage_of([done], graph, with_waiting=True)
    assert {each.unique_id: each.result for each in found.nodes} == {"model.a": done, "model.b": None}
    assert found.edges == [("model.a", "model.b")]
    assert [each.unique_id for each in lineage_of([done], graph).nodes] == ["model.a"]


def chain(length: int) -> tuple[list[NodeResult], dict[str, list[str]]]:
    return [node(f"n{number}") for number in range(length)], {
        f"n{number}": [f"n{number - 1}"] for number in range(1, length)
    }


def test_a_large_run_shows_what_is_near_its_failures() -> None:
    results, graph = chain(1000)
    results[500].status = NodeStatus.ERROR
    found = lineage_of(results, graph)
    shown = [each.unique_id for each in found.nodes]
    assert len(shown) == NEAR
    assert found.left_out == 1000 - NEAR
    assert "n500" in shown
    assert "n0" not in shown


def test_a_chosen_node_is_the_middle_whatever_failed() -> None:
    results, graph = chain(1000)
    results[500].status = NodeStatus.ERROR
    shown = [each.unique_id for each in lineage_of(results, graph, around="n20").nodes]
    assert "n20" in shown
    assert "n500" not in shown


def test_many_failures_without_a_graph_are_bounded_too() -> None:
    results = [node(f"n{number}", NodeStatus.ERROR) for number in range(1000)]
    assert len(lineage_of(results, {}).nodes) == NEAR


def test_a_name_in_the_drawing_is_a_text_never_an_instruction() -> None:
    drawn = digraph([Box('a"];evil', 'label" URL="javascript:x', link="?node=a%22")], [])
    assert r'"a\"];evil" [label="label\" URL=\"javascript:x"' in drawn
