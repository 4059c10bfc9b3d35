"""Browser tests drive Debian's Chromium over the console of a real stack."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console import Console
from tests.stack.fixtures import _shared_stack, make_stack, running_stack  # noqa: F401
from tests.stack.harness import Stack

HERE = Path(__file__).parent
expect.set_options(timeout=60_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder, so that they can be chosen or left out."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium instead of a download, and none of its calls home."""
    return {
        **browser_type_launch_args,
        "executable_path": os.environ.get("CHROMIUM", "/usr/bin/chromium"),
        "args": ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-background-networking"],
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """The same screen, zone and language everywhere."""
    return {
        **browser_context_args,
        "viewport": {"width": 1400, "height": 900},
        "timezone_id": "UTC",
        "locale": "en-GB",
        "reduced_motion": "reduce",
    }


@pytest.fixture
def console(page: Page, running_stack: Stack) -> Console:  # noqa: F811
    """The console of the session's stack, seen by a fresh browser."""
    page.set_default_timeout(60_000)
    return Console(page, running_stack.console_url)
