"""The graph around a node, and its drawing: names are texts, never instructions."""

import pytest

from models.project import ProjectNode
from services import lineage
from services.ui.project.project_lineage import dot


def node(name: str, *depends_on: str, kind: str = "model") -> ProjectNode:
    parents = [each if "." in each else f"model.shop.{each}" for each in depends_on]
    return ProjectNode(project_id=1, unique_id=f"{kind}.shop.{name}", name=name, resource_type=kind, depends_on=parents)


NODES = [
    node("raw", kind="seed"),
    node("a", "seed.shop.raw"),
    node("b", "a"),
    node("c", "b", "a"),
    node("not_null_b", "b", kind="test"),
    node("alone"),
]


@pytest.mark.parametrize(
    ("chosen", "upstream", "downstream", "names"),
    [
        ("b", 0, 0, ["b"]),
        ("b", 1, 0, ["a", "b"]),
        ("b", 5, 5, ["a", "b", "c", "raw"]),
        ("a", 0, 1, ["a", "b", "c"]),
        ("alone", 5, 5, ["alone"]),
    ],
)
def test_so_many_steps_up_and_down(chosen: str, upstream: int, downstream: int, names: list[str]) -> None:
    near = lineage.around(NODES, f"model.shop.{chosen}", upstream=upstream, downstream=downstream)
    assert sorted(each.name for each in near.nodes) == names
    shown = {each.unique_id for each in near.nodes}
    assert all(parent in shown and child in shown for parent, child in near.edges)


def test_a_circle_and_a_test_are_drawn_too() -> None:
    circle = [node("x", "y"), node("y", "x")]
    assert len(lineage.around(circle, "model.shop.x", upstream=9, downstream=9).edges) == 2
    near = lineage.around(NODES, "test.shop.not_null_b", upstream=1, downstream=1)
    assert [each.name for each in near.nodes] == ["b", "not_null_b"]


def test_quotes_markup_and_unicode_in_names_stay_text_f16() -> None:
    hostile = node('a"]; evil [label="<b>größe</b> 船 \\N')
    drawn = dot(lineage.around([hostile], hostile.unique_id, upstream=1, downstream=1), hostile.unique_id, {})
    [line] = [each for each in drawn.splitlines() if "label=" in each]
    assert '[label="a\\"]; evil [label=\\"<b>größe</b> 船 \\\\N' in line
