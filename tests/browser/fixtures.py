"""How browser tests see pages. A test folder gets these fixtures by importing them in its conftest."""

import os
from typing import Any

import pytest
from playwright.sync_api import expect

expect.set_options(timeout=60_000)


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
