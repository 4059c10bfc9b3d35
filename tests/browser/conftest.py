"""Browser tests drive Debian's Chromium over the console of a real stack."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from stack.places import ROOT
from tests.browser.console import Console
from tests.browser.fixtures import browser_context_args, browser_type_launch_args  # noqa: F401
from tests.stack.fixtures import _shared_stack, _stack_lives, make_stack, running_stack  # noqa: F401
from tests.stack.harness import Stack

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, so that they can be chosen or left out."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("browser")


@pytest.fixture
def console(page: Page, running_stack: Stack) -> Console:  # noqa: F811
    """The console of the session's stack, seen by a fresh browser."""
    page.set_default_timeout(60_000)
    return Console(page, running_stack.console_url)


@pytest.fixture(scope="session")
def big_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Console and collector, with nothing behind them, over a store of 100,000 runs."""
    stack = Stack(tmp_path_factory.mktemp("big") / "data", parts=("console",))
    fill_store(stack)
    try:
        stack.start()
        yield stack
    finally:
        stack.close()


def fill_store(stack: Stack, *sizes: str) -> None:
    """Fill a stack's store, which must not run yet, with a made-up history."""
    command = [sys.executable, "-m", "benchmarks.big_store", *sizes]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PILOTHOUSE_")}
    subprocess.run(command, cwd=ROOT, env={**environment, "PILOTHOUSE_DATA": str(stack.data)}, check=True)


@pytest.fixture
def big_console(page: Page, big_stack: Stack) -> Console:
    """The console over the big store, seen by a fresh browser."""
    page.set_default_timeout(60_000)
    return Console(page, big_stack.console_url)
