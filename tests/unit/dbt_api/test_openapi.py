"""Contract tests from the server's own OpenAPI: every operation, every check of schemathesis, the same each time.

Knows no route: what the document describes is what is tested. Two things are told to it. A request that fits its schema
may still be refused with 422 for what it means (a dbt command that is not one), and requests name the registered
project now and then, so that they get beyond "There is no project".
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.engine import StopReason, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder

from contracts.names import PROJECT_NAME_PATTERN
from dbt_api.app import create_app
from dbt_api.openapi import describe
from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import TOKEN, Server

CONFIG = {
    "seed": 3,
    "headers": {"Authorization": f"Bearer {TOKEN}"},
    "request-timeout": 60,
    "continue-on-failure": True,
    "generation": {"deterministic": True, "max-examples": 4},
    "checks": {
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "3xx", "401", "403", "404", "409", "422", "429", "503", "504"]
        }
    },
}

KNOWN = {"project": "shop", "name": "shop", "project_dir": "shop", "task_id": "known"}
NAMED = 4


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("openapi")
    patience = {"LOGIN_FAILURES": "1000000", "LOGIN_FAILURES_BY_NAME": "1000000"}  # wrong logins are among the checks
    server = Server(root / "data", GIT_TIMEOUT_SECONDS="1", HOLD_SECONDS="0", SLOTS="1", **patience).start()
    server.register("shop", write_project(root / "shop"))
    server.submit("known", "ls", "--nope")
    server.ended("known")
    yield server
    server.end()


def naming() -> Callable[[Any, Any, Any], None]:
    """A hook that lets the first requests of each operation mean the project and the invocation that there are.

    Not those that would replace or delete it, and not all: behind some of them a real dbt is started.
    """
    named: Counter[str] = Counter()

    def name_what_exists(_context: Any, case: Any, _options: Any) -> None:
        for values in (case.body, case.path_parameters, case.query):
            for name in KNOWN.keys() & values.keys() if isinstance(values, dict) else ():
                if re.match(PROJECT_NAME_PATTERN, str(values[name])) and case.method in ("GET", "POST"):
                    named[case.operation.label] += 1
                    values[name] = KNOWN[name] if named[case.operation.label] <= NAMED else values[name]

    return name_what_exists


def failures_of(recorder: ScenarioRecorder) -> Iterator[str]:
    for check in (check for checks in recorder.checks.values() for check in checks):
        if check.failure_info is not None:
            failure, sample = check.failure_info.failure, check.failure_info.code_sample
            yield f"{check.name}: {failure.operation}: {failure.title}\n{failure.message}\n{sample}"


def test_every_operation_keeps_its_contract(served: Server) -> None:
    config = SchemathesisConfig.from_dict(CONFIG)
    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json", headers=CONFIG["headers"], config=config)
    schemathesis.hook("before_call")(naming())
    told: list[str] = []
    tested: set[str] = set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            tested.add(event.recorder.label)
            told += failures_of(event.recorder)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            told.append(str(event))
        elif isinstance(event, events.EngineFinished):
            assert event.stop_reason is StopReason.COMPLETED
    assert told == [], "\n\n".join(told)
    assert tested >= {each.ok().label for each in schema.get_all_operations() if isinstance(each, Ok)}
    log = (served.data / "server.log").read_text()
    assert "ERROR dbt_api" not in log, log  # DBOS logs an error of its own for a turn that an abort took back


def test_every_field_of_every_body_and_answer_says_what_it_is() -> None:
    schemas = describe(create_app())["components"]["schemas"]
    assert {"Invocation", "PostInvocation", "Problem", "Health"} <= schemas.keys()
    silent = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, told in schema.get("properties", {}).items()
        if not told.get("description")
    ]
    assert silent == []
