"""Browser tests drive Debian's Chromium over the console of a real stack."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.console import Console
from tests.browser.fixtures import browser_context_args, browser_type_launch_args  # noqa: F401
from tests.stack.fixtures import _shared_stack, make_stack, running_stack  # noqa: F401
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
