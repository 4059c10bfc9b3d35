"""Fixtures with real stacks. A test folder gets them by importing them in its conftest."""

import itertools
from collections.abc import Callable, Iterator, Sequence

import pytest

from stack.processes import PARTS
from tests.stack.consoles import OwnConsole, own_console
from tests.stack.harness import Stack

PARTS_OF_FIXTURE = {
    "running_stack": PARTS,
    "airflow_stack": ("dbt-api", "airflow"),
    "dbt_api_stack": ("dbt-api",),
    "console": ("dbt-api", "airflow"),
}
GOOGLE = "google_cloud"
"""The fixture of tests/google: a session whose tests ask for it has an Airflow that reaches it."""


@pytest.fixture(scope="session")
def _shared_stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The session's one stack, with the parts, and the Google, that its tests ask for and no more."""
    asked = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    parts = {part for name in asked & PARTS_OF_FIXTURE.keys() for part in PARTS_OF_FIXTURE[name]}
    google = request.getfixturevalue(GOOGLE).environment() if GOOGLE in asked else {}
    stack = Stack(tmp_path_factory.mktemp("stack") / "data", parts=sorted(parts), environment=google)
    try:
        stack.start()
        yield stack
    finally:
        stack.close()


@pytest.fixture(autouse=True)
def _stack_lives(request: pytest.FixtureRequest) -> None:
    """A stack that ended by itself fails the tests that follow at once, instead of one by one after their patience.

    Those that restart it start one that has ended.
    """
    if "_shared_stack" in request.fixturenames and not request.node.get_closest_marker("restarts"):
        stack: Stack = request.getfixturevalue("_shared_stack")
        assert stack.runs, f"the stack has ended:\n{stack.printed()[-3000:]}"


@pytest.fixture(scope="session")
def running_stack(_shared_stack: Stack) -> Stack:
    """Everything: console, collector, Airflow, dbt API. Shared by the session.

    What stops it is marked `restarts`, comes last, and starts it again.
    """
    return _shared_stack


@pytest.fixture(scope="session")
def airflow_stack(_shared_stack: Stack) -> Stack:
    """At least Airflow and the dbt API. Shared by the session."""
    return _shared_stack


@pytest.fixture(scope="session")
def dbt_api_stack(_shared_stack: Stack) -> Stack:
    """At least the dbt API. Shared by the session."""
    return _shared_stack


@pytest.fixture(scope="module")
def console(airflow_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnConsole]:
    """A console of the module's own, with its collector, on the session's Airflow and dbt API."""
    with own_console(airflow_stack, tmp_path_factory.mktemp("console")) as made:
        yield made


@pytest.fixture
def make_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stack]]:
    """Makes private stacks, not started: for tests that stop, kill or misconfigure one."""
    made: list[Stack] = []
    numbers = itertools.count(1)

    def make(parts: Sequence[str] = PARTS) -> Stack:
        stack = Stack(tmp_path_factory.mktemp("private") / f"data{next(numbers)}", parts=parts)
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.close()


@pytest.fixture
def as_console(running_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Lets our services, imported by the test, work on the running stack's database and neighbours."""
    from services.database import engine
    from services.settings import settings

    for name, value in running_stack.console_settings.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    engine.cache_clear()
    yield running_stack
    engine().dispose()
    settings.cache_clear()
    engine.cache_clear()
