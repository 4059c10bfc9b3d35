"""Two runs side by side: parameters, code, where the time went, and every node with a filter in the address."""

import pandas as pd

from contracts.run_conf import RunConf
from models.run_state import NodeStatus, RunState
from tests.pages import seeded
from tests.pages.conftest import OpenPage


def two_runs() -> str:
    before = seeded.run(minutes_ago=60)
    old = seeded.filled(before, statuses={"a": NodeStatus.SUCCESS, "b": NodeStatus.SUCCESS, "gone": NodeStatus.PASS})
    seeded.manifest(old, {"a": "select 1", "b": "select 2"}, b=["a"])
    after = seeded.run(state=RunState.FAILED, conf=RunConf(threads=8, requested_by="anna"), seconds=200)
    new = seeded.filled(after, statuses={"x": NodeStatus.SUCCESS, "a": NodeStatus.SUCCESS, "b": NodeStatus.ERROR})
    seeded.manifest(new, {"a": "select 11", "b": "select 2"}, b=["a"])
    return f"{before.id}-{after.id}"


def tables(page: object) -> list[pd.DataFrame]:
    return [each.value for each in page.dataframe]  # type: ignore[attr-defined]


def test_two_runs_differ_in_parameters_code_time_and_nodes(open_page: OpenPage) -> None:
    page = open_page("compare", runs=two_runs())
    assert not page.exception
    parameters, code, times, nodes = tables(page)
    assert ["threads", "–", "8"] in parameters.to_numpy().tolist()
    assert code[["Name", "How", "Above the failure"]].to_numpy().tolist() == [["a", "changed", "yes"]]
    assert "Nodes" in list(times["Stage"])
    assert dict(zip(nodes["Node"], nodes["Change"], strict=True)) == {
        "b": "changed",
        "a": "same",
        "gone": "removed",
        "x": "added",
    }


def test_a_filtered_comparison_reopens_from_its_address(open_page: OpenPage) -> None:
    runs = two_runs()
    assert list(tables(open_page("compare", runs=runs, only="Changed state"))[-1]["Node"]) == ["b"]
    assert set(tables(open_page("compare", runs=runs, only="Slower"))[-1]["Node"]) == {"a", "b"}
    assert list(tables(open_page("compare", runs=runs, find="gon"))[-1]["Node"]) == ["gone"]


def test_without_two_runs_in_the_address_they_can_be_chosen(open_page: OpenPage) -> None:
    runs = two_runs()
    page = open_page("compare")
    assert "names no two runs" in page.warning[0].value
    before, after = runs.split("-")
    page.number_input(key="which_one").set_value(int(before))
    page.number_input(key="which_other").set_value(int(after))
    page = page.button[0].click().run()
    assert not page.exception
    assert page.query_params["runs"] == runs


def test_runs_of_two_projects_have_no_code_in_common(open_page: OpenPage) -> None:
    one, other = seeded.run("shop"), seeded.run("harbour")
    for each in (one, other):
        seeded.manifest(seeded.filled(each, statuses={"a": NodeStatus.SUCCESS}), {"a": "select 1"})
    page = open_page("compare", runs=f"{one.id}-{other.id}")
    assert not page.exception
    assert any("cannot be told" in each.value for each in page.caption)
