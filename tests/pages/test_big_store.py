"""The made-up history of the benchmarks is one that the console can show: sizes, figures, node results, logs."""

from benchmarks import big_store
from models.run_state import RunState
from services import logs, results
from services.runs import history
from services.runs.history import RunFilter
from tests.pages.conftest import OpenPage


def test_a_made_up_store_is_whole_and_its_pages_open(open_page: OpenPage) -> None:
    made = big_store.fill(runs=400, nodes=90)
    assert history.list_runs().total == 400
    assert history.list_runs(RunFilter(states=[RunState.RUNNING])).total == 2
    big = history.get_run(made.big_run)
    (invocation,) = history.invocations_of(made.big_run)
    nodes = results.node_results(invocation.id or 0)
    assert len(nodes) == big.nodes_total == 90
    assert sum(node.status.is_bad for node in nodes) == big.nodes_error
    assert logs.open_view(invocation, logs.Query()).total == 180
    for name, query in {"runs": {}, "overview": {}, "run": {"run_id": str(made.big_run)}}.items():
        assert not open_page(name, **query).exception
