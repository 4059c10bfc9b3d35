"""The one table of states is whole, and tells states apart without colour."""

import pytest

from contracts.dbt_api import InvocationState
from models.run_state import FROM_AIRFLOW_DAG_RUN, FROM_DBT_API, NodeStatus, RunState


@pytest.mark.parametrize("state", [*RunState, *NodeStatus])
def test_every_state_has_a_word_and_a_shape(state: RunState | NodeStatus) -> None:
    style = state.style
    assert style.word
    assert style.glyph
    assert style.icon.startswith(":material/")


def test_run_states_differ_in_word_and_in_shape() -> None:
    assert len({state.style.word for state in RunState}) == len(RunState)
    assert len({state.style.glyph for state in RunState}) == len(RunState)


def test_every_state_of_the_neighbours_is_mapped() -> None:
    assert set(FROM_DBT_API) == set(InvocationState)
    assert {"queued", "running", "success", "failed"} == set(FROM_AIRFLOW_DAG_RUN)


def test_a_final_state_elsewhere_is_final_here() -> None:
    for theirs, ours in FROM_DBT_API.items():
        if theirs is not InvocationState.NOT_FOUND:
            assert theirs.is_terminal == ours.is_terminal
