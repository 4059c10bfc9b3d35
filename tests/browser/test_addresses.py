"""Every view has an address that opens it, also as the first request after a start."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console import Console
from tests.stack.harness import Stack


@pytest.mark.parametrize(
    ("address", "heading"),
    [
        ("", "Overview"),
        ("overview", "Overview"),
        ("projects", "Projects"),
        ("new_project", "New project"),
        ("launch", "Launch"),
        ("runs", "Runs"),
        ("system", "System"),
        ("run?run_id=999999", "Run not found"),
        ("project?name=nobody", "Project"),
    ],
)
def test_every_page_opens_by_its_address(console: Console, address: str, heading: str) -> None:
    console.open(address)
    console.sees(heading)
    expect(console.page.get_by_role("link", name="Projects")).to_be_visible()
    expect(console.page.get_by_text("Traceback")).to_have_count(0)


def test_a_deep_link_as_the_very_first_request_gets_the_whole_frame(
    page: Page, make_stack: Callable[..., Stack]
) -> None:
    stack = make_stack(parts=("console",))
    stack.start()
    console = Console(page, stack.console_url)
    console.open("run?run_id=999999")
    console.sees("Run not found")
    expect(page.get_by_role("link", name="Projects")).to_be_visible()


def test_with_everything_else_down_the_pages_still_open_and_say_so(
    page: Page, make_stack: Callable[..., Stack]
) -> None:
    stack = make_stack(parts=("console",))
    stack.start()
    console = Console(page, stack.console_url)
    console.open("system")
    console.sees("Airflow")
    expect(page.locator(".stMarkdownBadge").filter(has_text="Down").first).to_be_visible()
    console.open("runs")
    console.sees("Runs")


def test_the_overview_asks_for_news_when_its_reader_returns_and_not_while_nothing_runs(
    page: Page, make_stack: Callable[..., Stack]
) -> None:
    stack = make_stack(parts=("console",))
    stack.start()
    frames: list[str | bytes] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(frame)))
    console = Console(page, stack.console_url)
    console.open("")
    console.sees("There is no project yet")
    page.wait_for_timeout(2_000)
    frames.clear()
    page.wait_for_timeout(11_000)
    assert frames == []
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.wait_for_timeout(3_000)
    assert frames
