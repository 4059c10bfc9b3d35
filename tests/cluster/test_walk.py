"""The walk of an analyst whose project runs in pods: a real Airflow, the provider as it is, a real Kubernetes."""

import uuid

import pytest
from playwright.sync_api import Page, expect

from models.run import Trigger
from models.run_state import NodeStatus, RunState
from services import clusters
from services.runs import orders
from tests.browser.console import Console
from tests.cluster.dbt_namespace import DbtNamespace
from tests.cluster.launched import collected, comes_to, invocation_of, is_told_whole_and_once, launch, nodes_of
from tests.stack.consoles import OwnConsole, until


@pytest.fixture(scope="module")
def harbour(dbt_namespace: DbtNamespace) -> str:
    """A published project whose warehouse outlives its pods."""
    return dbt_namespace.publish("harbour", **dbt_namespace.warehouse())


def test_a_build_in_a_pod_is_told_like_any_other(harbour: str, dbt_namespace: DbtNamespace) -> None:
    run = collected(launch(harbour))
    assert (run.state, run.message) == (RunState.SUCCEEDED, None)
    assert run.nodes_total == run.nodes_ok == 35
    nodes = nodes_of(run)
    assert all(node.seconds is not None for node in nodes.values())
    is_told_whole_and_once(run)
    invocation = invocation_of(run)
    assert (invocation.log_cursor or "").startswith("base "), "it is the pod's own log"
    assert invocation.state is RunState.SUCCEEDED
    pod = clusters.pod_of(invocation.id or 0)
    assert pod is not None
    assert {"Created", "Scheduled", "dbt started"} <= {step["title"] for step in pod.steps}
    assert pod.node
    assert pod.image_digest
    until(lambda: not dbt_namespace.pods())


def test_a_run_that_is_cancelled_keeps_what_it_did_and_its_retry_does_the_rest(
    harbour: str, dbt_namespace: DbtNamespace
) -> None:
    run = launch(harbour, vars="slow_seconds: 25")
    comes_to(run, "depth_soundings")
    orders.cancel(run.id or 0, by="bo")
    cancelled = collected(run)
    assert (cancelled.state, cancelled.message) == (RunState.CANCELLED, "Cancelled by bo.")
    assert invocation_of(run).state is RunState.CANCELLED
    before = nodes_of(run)
    assert before["depth_soundings"].status is NodeStatus.INTERRUPTED
    assert before["ships"].status is NodeStatus.SUCCESS
    assert 0 < cancelled.nodes_ok < (cancelled.nodes_total or 0)
    is_told_whole_and_once(run)
    until(lambda: not dbt_namespace.pods())

    again = collected(orders.retry(run.id or 0, by="bo", launch_key=uuid.uuid4().hex))
    assert (again.state, again.trigger, again.retry_of) == (RunState.SUCCEEDED, Trigger.RETRY, run.id)
    assert set(nodes_of(again)) == {"depth_soundings", "not_null_depth_soundings_berth_id", "shallow_berths"}


def test_in_the_browser_a_pod_is_launched_and_watched(harbour: str, console: OwnConsole, page: Page) -> None:
    page.set_default_timeout(60_000)
    with console.pages() as url:
        browser = Console(page, url)
        browser.launch(project=harbour, variables="slow_seconds: 10")
        browser.ends("Running")
        page.get_by_role("tab", name="Pod").click()
        browser.sees("dbt started")
        browser.ends("Succeeded")
        page.get_by_role("tab", name="Log").click()
        expect(page.get_by_role("log")).to_contain_text("Done.")
        browser.open("clusters")
        browser.sees("Up")
