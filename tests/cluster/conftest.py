"""Cluster tests run on a real Kubernetes: that of KUBECONFIG, or one that the session starts as root on Debian 12."""

from pathlib import Path

import pytest

from tests.browser.fixtures import browser_context_args, browser_type_launch_args  # noqa: F401
from tests.cluster.fixtures import (  # noqa: F401
    cluster,
    dbt_namespace,
    google,
    make_namespace,
    make_service_account,
    namespace,
)
from tests.google.fixtures import google_cloud, google_with_cluster  # noqa: F401
from tests.stack.fixtures import _shared_stack, _stack_lives, airflow_stack, console  # noqa: F401

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, so that they can be chosen or left out."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("cluster")
