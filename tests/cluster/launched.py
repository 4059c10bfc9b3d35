"""Runs through Airflow, launched as the pages do, and what the console knows of them."""

import json
import uuid
from collections import Counter

from models.run import Invocation, NodeResult, Run
from services import logs, results
from services.collector.pod_log import identity
from services.runs import history, orders
from services.runs.launching import LaunchRequest
from tests.stack.consoles import until

RUN_SECONDS = 420


def launch(project: str, **request: object) -> Run:
    """Launch a run; `request` is what the form holds."""
    return orders.launch(project, LaunchRequest.model_validate(request), launch_key=uuid.uuid4().hex, by="ann")


def fresh(run: Run) -> Run:
    """The run as it is now."""
    return history.get_run(run.id or 0)


def collected(run: Run) -> Run:
    """The run, once it is over and all that there is to know is here."""
    until(lambda: fresh(run).collected, seconds=RUN_SECONDS)
    return fresh(run)


def invocation_of(run: Run) -> Invocation:
    """The run's one invocation."""
    [invocation] = history.invocations_of(run.id or 0)
    return invocation


def nodes_of(run: Run) -> dict[str, NodeResult]:
    """The node results of the run's last try by name."""
    invocations = history.invocations_of(run.id or 0)
    return {node.name: node for node in results.node_results(invocations[-1].id or 0)} if invocations else {}


def comes_to(run: Run, name: str) -> None:
    """Wait until a node of the run has started."""
    until(lambda: name in nodes_of(run), seconds=RUN_SECONDS)


def is_told_whole_and_once(run: Run) -> None:
    """dbt's log from its first event to the entrypoint's last, no event twice, artifacts beside it."""
    invocation = invocation_of(run)
    lines = logs.path_of(invocation).read_text().splitlines()
    told = Counter(json.loads(line)["info"]["name"] for line in lines)
    assert (told["MainReportVersion"], told["CommandCompleted"]) == (1, 1)
    assert told["PilothouseArtifact"] >= 2
    assert len({identity(line) for line in lines}) == len(lines)
    assert {"run_results.json", "manifest.json"} <= {one["name"] for one in invocation.artifacts}
