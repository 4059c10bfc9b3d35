"""The log viewer on a log of a million lines, on one that grows, and on one full of hostile text."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from benchmarks import long_log
from services.logs import append
from tests.browser.console import Console
from tests.browser.log_page import LogPage, MadeLog, log_requests, run_with_log
from tests.stack.harness import Stack

ALL_LEVELS = "&levels=error,warn,info,debug"
LINES = 1_000_000


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    made = Stack(tmp_path_factory.mktemp("logs") / "data", parts=("console",))
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def million(stack: Stack) -> MadeLog:
    return run_with_log(stack, LINES)


@pytest.fixture
def log(page: Page, stack: Stack) -> LogPage:
    page.set_default_timeout(60_000)
    return LogPage(page, stack.console_url)


def event(text: str, level: str = "info") -> bytes:
    info = {"level": level, "msg": text, "ts": "2026-11-26T01:00:00Z"}
    return json.dumps({"info": info, "data": {}}).encode() + b"\n"


def test_a_million_lines_open_at_any_line_while_their_index_is_made(log: LogPage, million: MadeLog) -> None:
    log.open(million.run, "&line=500001")
    log.sees("500001")
    expect(log.line("500001")).to_have_class(re.compile("chosen"))
    assert log.elements() < 6_000
    expect(log.total).to_have_text(f"{LINES:,} lines", timeout=180_000)
    for scheme in ("light", "dark"):
        log.page.emulate_media(color_scheme=scheme)
        Console(log.page, log.url).picture(f"log_{scheme}")


def test_under_a_log_without_its_end_it_says_so_where_dbts_lines_are_shown(log: LogPage, stack: Stack) -> None:
    made = run_with_log(stack, 50)
    with closing(sqlite3.connect(stack.data / "console.db")) as database, database:
        database.execute("update invocation set log_end_missing = 1, log_bytes = 9 where run_id = ?", [made.run])
    log.open(made.run)
    said = log.page.get_by_role("note").filter(has_text="The end of dbt's log is missing")
    expect(said).to_be_visible()
    log.page.get_by_role("combobox", name="Log source").select_option("airflow")
    expect(said).to_be_hidden()


def test_a_million_lines_are_scrolled_from_end_to_end(log: LogPage, million: MadeLog) -> None:
    log.open(million.run, ALL_LEVELS)
    log.sees(f"{LINES}")
    log.box.press("g")
    log.sees("1")
    for _ in range(20):
        log.page.mouse.move(700, 700)
        log.page.mouse.wheel(0, 100)
    expect(log.line("1")).not_to_be_in_viewport()
    log.page.wait_for_timeout(500)
    assert 40 < log.top_line() < 110, "short ways are gone line by line, however long the log is"
    for share in (0.25, 0.5, 0.75):
        log.scroll_to(share)
        log.page.wait_for_timeout(300)
        expect(log.box.locator(".loading")).to_have_count(0)
        assert abs(log.top_line() / LINES - share) < 0.05
        assert log.elements() < 6_000
    log.box.press("G")
    log.sees(f"{LINES}")


def test_the_whole_log_is_searched_and_gone_through(log: LogPage, million: MadeLog) -> None:
    log.open(million.run, ALL_LEVELS)
    log.search.fill("batch 70003")
    expect(log.status).to_have_text("1 of 9 matches", timeout=120_000)
    log.sees("70003")
    expect(log.line("70003").locator("mark")).to_have_text("batch 70003")
    log.search.press("Enter")
    expect(log.status).to_have_text("2 of 9 matches")
    log.sees("700030")
    log.box.press("N")
    expect(log.status).to_have_text("1 of 9 matches")
    log.box.press("N")
    expect(log.status).to_have_text("9 of 9 matches")
    log.page.get_by_label("Only matches").check()
    expect(log.total).to_have_text(f"9 of {LINES:,} lines")
    assert log.rows.count() == 9


def test_a_regular_expression_is_searched_and_a_wrong_one_is_told(log: LogPage, million: MadeLog) -> None:
    log.open(million.run, ALL_LEVELS + "&find=batch%207{5}%5Cb&regex=1")
    expect(log.status).to_have_text("1 of 1 match", timeout=180_000)
    log.sees("77777")
    log.search.fill("batch (")
    expect(log.page.get_by_role("alert").filter(has_text="No regular expression")).to_be_visible()


def test_levels_nodes_and_errors_and_the_address_that_opens_the_same(
    log: LogPage, million: MadeLog, browser: Browser
) -> None:
    log.open(million.run)
    expect(log.page.get_by_role("button", name=re.compile(r"Error \d"))).to_have_text("Error 40")
    expect(log.page.get_by_role("button", name=re.compile(r"Debug \d"))).to_have_attribute("aria-pressed", "false")
    log.page.get_by_role("button", name="Jump to error").click()
    log.sees(str(long_log.FIRST_ERROR))
    log.box.press("e")
    log.sees(str(long_log.FIRST_ERROR + long_log.ERRORS_EVERY))
    node = log.page.get_by_label("Only lines about this node")
    node.fill("model_177")
    node.press("Tab")
    expect(log.total).to_have_text(re.compile(rf"^[\d,]+ of {LINES:,} lines$"))
    log.page.get_by_role("button", name=re.compile(r"Info \d")).click()
    expect(log.total).to_have_text(re.compile(r"^1\d of "))
    log.line(str(long_log.FIRST_ERROR)).get_by_role("link").click()
    address, total = log.page.url, log.total.inner_text()
    assert f"line={long_log.FIRST_ERROR}" in address
    other = LogPage(browser.new_context().new_page(), log.url)
    other.page.goto(address)
    expect(other.total).to_have_text(total)
    expect(other.line(str(long_log.FIRST_ERROR))).to_have_class(re.compile("chosen"))
    other.page.context.close()


def test_a_line_in_a_hidden_level_is_opened_all_the_same_and_a_missing_one_is_told(
    log: LogPage, million: MadeLog
) -> None:
    log.open(million.run, "&line=333")
    log.sees("333")
    log.open(million.run, "&line=2000000")
    expect(log.page.get_by_role("alert").filter(has_text="There is no line 2000000")).to_be_visible()


def test_a_line_opens_as_the_very_first_request_after_a_start(page: Page, make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(parts=("console",))
    made = run_with_log(stack, 1_000)
    stack.start()
    first = LogPage(page, stack.console_url)
    first.open(made.run, "&line=250")
    first.sees("250")
    expect(page.get_by_role("link", name="Projects")).to_be_visible()


def test_a_range_of_lines_is_chosen_and_opened(log: LogPage, million: MadeLog) -> None:
    log.open(million.run, f"{ALL_LEVELS}&line=2000")
    log.line("2003").get_by_role("link").click(modifiers=["Shift"])
    assert "line=2000-2003" in log.page.url
    log.page.reload()
    expect(log.box.locator(".chosen")).to_have_count(4)


def test_a_growing_log_is_followed_until_one_scrolls_up_and_asked_no_more_when_it_ends(
    log: LogPage, stack: Stack
) -> None:
    made = run_with_log(stack, 1_000, "--running")

    def grow(first: int, count: int) -> None:
        append(made.path, made.path.stat().st_size, b"".join(long_log.lines(count, first=first)))

    log.open(made.run, ALL_LEVELS)
    log.sees("1000")
    grow(1_001, 200)
    log.sees("1200")
    log.page.mouse.move(700, 700)
    log.page.mouse.wheel(0, -300)
    expect(log.page.get_by_label("Follow")).not_to_be_checked()
    grow(1_201, 50)
    expect(log.page.get_by_role("button", name="50 new lines")).to_be_visible()
    expect(log.line("1250")).not_to_be_in_viewport()
    log.page.get_by_role("button", name="50 new lines").click()
    log.sees("1250")
    grow(1_251, 1)
    log.sees("1251")
    assert log.elements() < 6_000


def test_a_finished_run_is_not_asked_for_again(log: LogPage, stack: Stack) -> None:
    made = run_with_log(stack, 1_000)
    asked = log_requests(log.page)
    log.open(made.run)
    log.sees("1000")
    log.page.wait_for_timeout(1_500)
    settled = len(asked)
    log.page.wait_for_timeout(4_000)
    assert 0 < settled == len(asked)


def test_text_from_a_log_is_never_html_and_nothing_in_it_is_hidden(log: LogPage, stack: Stack) -> None:
    made = run_with_log(stack, 0)
    lines = event("<img src=x onerror=alert(1)><script>alert(2)</script>") + event("\x1b[31mred\x1b[0m plain")
    lines += b"nul \x00 \xff\xfe bytes\n" + event("long " * 5_000 + "end") + event("turned \u202eround")
    append(made.path, 0, lines)
    alerts: list[str] = []
    log.page.on("dialog", lambda dialog: alerts.append(dialog.message))
    log.open(made.run)
    expect(log.line("1")).to_contain_text("<img src=x onerror=alert(1)><script>")
    assert log.box.locator("img, script").count() == 0
    expect(log.line("2").locator(".ansi-red")).to_have_text("red")
    expect(log.line("3")).to_contain_text("nul \ufffd \ufffd\ufffd bytes")
    log.line("4").get_by_role("button", name="Show the whole line").click()
    expect(log.line("4")).to_contain_text("long end")
    expect(log.line("5")).to_contain_text("turned \ufffdround")
    assert alerts == []


def test_an_empty_log_says_so(log: LogPage, stack: Stack) -> None:
    made = run_with_log(stack, 0)
    log.page.goto(f"{log.url}/run?run_id={made.run}&tab=Log")
    expect(log.box).to_contain_text("Nothing was logged here.")


def test_the_lines_shown_are_downloaded(log: LogPage, million: MadeLog) -> None:
    log.open(million.run, "&levels=error")
    log.page.get_by_text("Download", exact=True).click()
    with log.page.expect_download() as download:
        log.page.get_by_role("button", name="The lines shown, as text").click()
    text = download.value.path().read_text()
    assert text.count(" error Database Error in model") == 40
    assert download.value.suggested_filename == f"run-{million.run}-try-1-dbt.txt"


def test_keys_do_what_their_sheet_says(log: LogPage, million: MadeLog) -> None:
    log.open(million.run, "&line=777")
    log.box.press("?")
    expect(log.page.get_by_role("dialog", name="Keyboard shortcuts")).to_contain_text("Wrap long lines")
    log.page.keyboard.press("Escape")
    expect(log.page.get_by_role("dialog", name="Keyboard shortcuts")).not_to_be_visible()
    log.box.press("w")
    expect(log.page.get_by_label("Wrap")).to_be_checked()
    log.sees("777")
    log.box.press("t")
    expect(log.page.get_by_label("Time shown")).to_have_value("utc")
    log.box.press("j")
    expect(log.line("780")).to_have_class(re.compile("chosen"))
    log.box.press("/")
    expect(log.search).to_be_focused()


def test_without_the_page_there_is_no_log(stack: Stack, million: MadeLog) -> None:
    for what in ("rows?count=10", "nodes", "lines/1", "place?what=error"):
        answer = requests.get(f"{stack.console_url}/api/logs/{million.run}/{what}", timeout=30)
        assert (answer.status_code, "Reload the page." in answer.text) == (403, True)
