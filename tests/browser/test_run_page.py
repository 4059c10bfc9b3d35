"""The page of a run as an analyst reads it after a failure: where, since when, what else, and what is kept."""

import re

from playwright.sync_api import expect

from tests.browser.console import Console


def test_a_failure_leads_to_its_line_in_sql_and_log_and_to_its_neighbours(console: Console) -> None:
    console.wait_for_the_example()
    number = console.launch(variables="break_on_purpose: true")
    console.ends("Failed")
    page = console.page
    marked = page.locator("pre[aria-label*='of the compiled SQL']").first
    expect(marked).to_contain_text(re.compile(r"▶ +\d+ +customs_stamp"))
    console.sees("customs_declarations.sql:")
    console.picture("run_failure")
    page.get_by_role("button", name=re.compile(r"Line [\d,]+ of the log")).first.click()
    expect(page).to_have_url(re.compile(r"line=\d+"))
    expect(page.get_by_role("log")).to_contain_text("customs_declarations")
    console.open(f"run?run_id={number}&tab=Timeline")
    console.sees("Parsing")
    console.sees("Critical path:")
    console.picture("run_timeline")
    console.open(f"run?run_id={number}&tab=Lineage")
    graph = page.get_by_test_id("stGraphVizChart")
    graph.locator("a").filter(has_text="goods_landed").first.click()
    expect(page).to_have_url(re.compile(r"node=model\.harbour\.goods_landed"))
    console.sees("Skipped because")
    console.picture("run_lineage")
    console.open(f"run?run_id={number}&tab=Tests")
    console.sees("tests:")
    console.picture("run_tests")


def test_what_a_run_leaves_is_downloaded_and_its_documentation_opens(console: Console) -> None:
    console.wait_for_the_example()
    number = console.launch(select="stg_ships")
    console.ends("Succeeded")
    page = console.page
    console.open(f"run?run_id={number}&tab=Artifacts")
    with page.expect_download() as zipped:
        page.get_by_role("button", name="Everything as a zip").click()
    assert zipped.value.suggested_filename == f"run-{number}.zip"
    console.button("Show the documentation").click()
    expect(console.button("Download as one file")).to_be_visible()
    site = page.frame_locator("iframe").locator("iframe")
    expect(site).to_have_attribute("sandbox", "allow-scripts allow-popups")
    drawn = page.frame_locator("iframe").frame_locator("iframe")
    expect(drawn.get_by_text("harbour", exact=False).locator("visible=true").first).to_be_visible()
    console.picture("run_docs")
    console.open(f"run?run_id={number}&tab=Configuration")
    console.sees("By Airflow's REST API")
    console.picture("run_configuration")
