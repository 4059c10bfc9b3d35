"""axe finds nothing that is ours on any page, in light and dark."""

import pytest

from tests.browser.axe import violations
from tests.browser.console import Console
from tests.browser.test_big_history import BIG_RUN

PAGES = {
    "": "Overview",
    "runs": "100,000 runs",
    "runs?tab=Trends": "Durations",
    "runs?tab=Nodes": "Slowest nodes",
    "runs?tab=Operators": "The same work",
    "runs?q=nothing_has_this&state=Failed": "No run matches",
    f"run?run_id={BIG_RUN}": "nodes done",
    f"run?run_id={BIG_RUN}&tab=Timeline": "Critical path",
    f"run?run_id={BIG_RUN}&tab=Tests": "not_null",
    f"run?run_id={BIG_RUN}&tab=Log": "Download",
    f"run?run_id={BIG_RUN}&tab=Configuration": "dbt build",
    f"run?run_id={BIG_RUN}&tab=Artifacts": "Artifacts",
    "run?run_id=999999999": "Run not found",
    f"compare?runs=99000-{BIG_RUN}": "What was different",
    "launch?project=docks": "Launch",
    "projects": "docks",
    "project?name=docks": "Steps",
    "new_project": "New project",
    "clusters": "Clusters",
    "capacity": "Capacity",
    "system": "Settings",
}


@pytest.mark.parametrize("address", PAGES)
def test_a_page_has_no_violation_of_ours(big_console: Console, address: str) -> None:
    big_console.open(address)
    big_console.sees(PAGES[address])
    big_console.wear("light")
    assert violations(big_console.page) == []
    big_console.wear("dark")
    assert violations(big_console.page) == []
