"""The history with 100,000 runs: filtered, paged, saved, exported, and opened again by its address."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import fill_store
from tests.browser.console import Console
from tests.stack.harness import Stack

BIG_RUN = 99994
"""The run with 3,000 nodes: the store is made from a seed."""
SMALL_BIG_RUN = 390
"""The largest run of a store of 400 runs."""


def test_filters_are_clicked_and_open_again_in_another_browser(
    big_console: Console, big_stack: Stack, browser: Browser
) -> None:
    page = big_console.page
    big_console.open("runs")
    big_console.sees("100,000 runs")
    page.get_by_role("button", name="Failed", exact=True).click()
    big_console.button("Filters").click()
    big_console.choose("Project", "ledger")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(big_console.button("Project: ledger")).to_be_visible()
    big_console.type("Search", "berth_no")
    expect(page).to_have_url(re.compile(r"(?=.*state=Failed)(?=.*project=ledger)(?=.*q=berth_no)"))
    other = browser.new_context().new_page()
    other.goto(page.url)
    said = other.get_by_text(re.compile(r"^[\d,]+ runs$")).inner_text()
    assert said != "100,000 runs"
    expect(page.get_by_text(said, exact=True)).to_be_visible()
    expect(other.get_by_role("textbox", name="Search", exact=True)).to_have_value("berth_no")
    other.context.close()


def test_pages_presets_and_views_are_links_and_what_is_set_is_dropped_at_a_click(big_console: Console) -> None:
    page = big_console.page
    big_console.open("runs")
    page.get_by_role("link", name="Next page").click()
    expect(page).to_have_url(re.compile(r"page=2"))
    expect(page.get_by_role("link", name="Page 2", exact=True)).to_have_attribute("aria-current", "page")
    page.go_back()
    expect(page.get_by_role("link", name="Page 1", exact=True)).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Failed today").click()
    expect(page).to_have_url(re.compile(r"(?=.*state=Failed)(?=.*when=Today)"))
    big_console.button("When: Today").click()
    expect(page).not_to_have_url(re.compile(r"when="))
    expect(big_console.button("Failed")).to_have_attribute("aria-pressed", "true")
    big_console.button("Clear filters").click()
    expect(page).not_to_have_url(re.compile(r"state="))
    big_console.sees("100,000 runs")
    page.get_by_role("link", name="Trends", exact=True).click()
    expect(page).to_have_url(re.compile(r"tab=Trends"))
    big_console.sees("Durations")


def test_a_strip_opens_its_run_and_a_name_its_project(big_console: Console) -> None:
    page = big_console.page
    big_console.open("runs")
    page.get_by_role("link", name="ledger", exact=True).click()
    expect(page).to_have_url(re.compile(r"project=ledger"))
    big_console.settle()
    page.get_by_role("link", name=re.compile(rf"^Run {BIG_RUN}: failed")).click()
    expect(page).to_have_url(re.compile(rf"/run\?run_id={BIG_RUN}"))
    big_console.sees("of 3,000 nodes done")


def test_how_3000_nodes_fared_is_not_cut_off(big_console: Console) -> None:
    big_console.open("runs?project=ledger&state=Failed")
    row = big_console.runs.get_by_role("row").filter(has=big_console.page.get_by_title(f"Open run {BIG_RUN}"))
    said = row.get_by_text("of 3,000")
    expect(said).to_be_visible()
    assert said.evaluate("(text) => text.scrollWidth - text.clientWidth") == 0


def test_a_view_is_saved_found_in_the_menu_and_deleted(big_console: Console) -> None:
    page = big_console.page
    big_console.open("runs?state=Cancelled")
    big_console.button("Views").click()
    page.get_by_role("menuitem", name="Save these filters…").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Given up")
    big_console.button("Save view").click()
    expect(big_console.button("Given up")).to_be_visible()
    big_console.open("runs")
    big_console.button("Views").click()
    page.get_by_role("menuitem", name="Given up").click()
    expect(page).to_have_url(re.compile(r"state=Cancelled"))
    big_console.button("Given up").click()
    page.get_by_role("menuitem", name="Manage views…").click()
    big_console.button("Delete").click()
    big_console.button("Really delete Given up").click()
    expect(big_console.button("Views")).to_be_visible()
    expect(page).to_have_url(re.compile(r"state=Cancelled"))


def test_the_export_holds_what_is_filtered(big_console: Console) -> None:
    big_console.open("runs?project=weather&state=Failed")
    with big_console.page.expect_download() as download:
        big_console.button("CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) > 50
    assert all(",weather,failed," in line for line in lines[1:])


@pytest.mark.parametrize(("address", "asks"), [("runs?state=Running", True), ("runs?state=Failed", False)])
def test_a_page_asks_for_news_only_while_one_of_its_runs_lives(big_console: Console, address: str, asks: bool) -> None:
    frames: list[str | bytes] = []
    big_console.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(frame)))
    big_console.open(address)
    expect(big_console.runs).to_be_visible()
    big_console.page.wait_for_timeout(2_000)
    frames.clear()
    big_console.page.wait_for_timeout(7_000)
    assert bool(frames) is asks


def test_the_link_of_a_run_is_there_to_copy(big_console: Console) -> None:
    page = big_console.page
    big_console.open("runs?project=weather")
    big_console.runs.get_by_role("button", name="Orders for run").first.press("Enter")
    expect(page.get_by_role("menuitem", name="Open", exact=True)).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="Copy link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_test_id("stCode")).to_contain_text(f"{big_console.url}/run?run_id=")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("runs?state=Failed&project=customs&page=2", "customs"),
        ("runs?when=Last+7+days&how=schedule", "runs"),
        ("runs?tab=Operators", "The same work on different operators"),
        (f"run?run_id={BIG_RUN}&tab=Timeline", "Critical path"),
        (f"run?run_id={BIG_RUN}&node=model.ledger.stg_ships", "stg_ships"),
        (f"compare?runs={BIG_RUN - 1}-{BIG_RUN}", f"Run {BIG_RUN}"),
        ("project?name=ledger", "ledger"),
    ],
)
def test_a_view_opens_from_its_address_and_keeps_it(big_console: Console, address: str, shown: str) -> None:
    big_console.open(address)
    expect(big_console.page.get_by_text(shown).locator("visible=true").first).to_be_visible()
    for part in address.split("?")[1].split("&"):
        assert part in big_console.page.url.replace("%20", "+")


def test_the_line_of_a_link_is_on_the_screen_however_much_is_above_the_log(big_console: Console) -> None:
    page = big_console.page
    big_console.open(f"run?run_id={BIG_RUN}&tab=Log&line=4100")
    line = page.get_by_role("log").locator('[data-line="4100"]')
    expect(line).to_be_visible()
    page.wait_for_timeout(3_000)
    expect(line).to_be_in_viewport()


def test_views_and_log_lines_open_as_the_very_first_request_after_a_start(
    page: Page, browser: Browser, make_stack: Callable[..., Stack]
) -> None:
    stack = make_stack(parts=("console",))
    fill_store(stack, "--runs", "400", "--nodes", "90")
    stack.start()
    console = Console(page, stack.console_url)
    console.open("runs?state=Failed")
    failed = page.get_by_text(re.compile(r"^[\d,]+ runs$")).inner_text()
    for address, seen in (("runs?state=Failed", failed), (f"run?run_id={SMALL_BIG_RUN}&tab=Log&line=1", "START")):
        stack.stop()
        stack.start()
        fresh = browser.new_context().new_page()
        first = Console(fresh, stack.console_url)
        first.open(address)
        expect(fresh.get_by_text(seen).first).to_be_visible()
        expect(fresh.get_by_role("link", name="Projects")).to_be_visible()
        assert address in fresh.url
        fresh.context.close()
