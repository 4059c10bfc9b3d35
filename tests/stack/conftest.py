"""Stack tests run against a real Airflow and a real dbt API server, started by the session."""

from pathlib import Path

import pytest

from tests.stack.fixtures import (  # noqa: F401
    _shared_stack,
    _stack_lives,
    airflow_stack,
    as_console,
    console,
    dbt_api_stack,
    make_stack,
    running_stack,
)

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, so that they can be chosen or left out; what restarts the shared stack is last."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("stack")
    items.sort(key=lambda item: item.get_closest_marker("restarts") is not None)
