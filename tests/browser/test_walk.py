"""The walk of an analyst: create, launch, watch, fail, retry, cancel; all real, all by clicking."""

import re

from playwright.sync_api import expect

from tests.browser.console import Console


def test_create_a_project_launch_it_and_read_what_happened(console: Console) -> None:
    console.open("new_project")
    console.type("Name", "first_steps")
    console.type("Description", "Made by clicking.")
    console.button("Create project").click()
    expect(console.page).to_have_url(re.compile(r"/project\?name=first_steps"))
    expect(console.button("Launch")).to_be_enabled(timeout=180_000)
    console.button("Launch").click()
    expect(console.page).to_have_url(re.compile(r"/launch"))
    console.settle()
    console.button("Preview nodes").click()
    console.sees("nodes:")
    console.picture("launch")
    console.button("Launch").click()
    console.run_number()
    console.ends("Succeeded")
    console.page.get_by_role("tab", name="Timeline").click()
    console.sees("Critical path:")
    expect(console.page.get_by_test_id("stVegaLiteChart").first).to_be_visible()
    console.picture("timeline")
    console.page.get_by_role("tab", name="Log").click()
    log = console.page.get_by_role("log")
    expect(log).to_contain_text("Done.")
    console.open("runs?project=first_steps")
    expect(console.runs).to_be_visible()
    console.page.get_by_role("link", name="Nodes", exact=True).click()
    console.sees("Slowest nodes")


def test_a_failed_run_shows_the_failing_node_first_and_is_retried(console: Console) -> None:
    console.wait_for_the_example()
    failed = console.launch(variables="break_on_purpose: true")
    console.ends("Failed")
    console.sees("customs_declarations")
    console.sees("Skipped")
    console.picture("failed_run")
    console.button("Retry from failure").click()
    expect(console.page).to_have_url(re.compile(rf"/run\?run_id=(?!{failed}\b)\d+"))
    console.sees(f"Retry of run {failed}")
    console.ends("Failed")
    code = console.page.get_by_test_id("stCode").filter(has_text="dbt build").first
    expect(code).to_contain_text("customs_declarations")
    expect(code).not_to_contain_text("stg_ships")
    console.sees("Failed 2 times in a row")
    console.open("runs")
    console.sees("Failing now")


def test_two_runs_are_chosen_in_the_history_and_compared(console: Console) -> None:
    console.wait_for_the_example()
    console.launch(select="stg_ships")
    console.ends("Succeeded")
    console.launch(select="stg_berths")
    console.ends("Succeeded")
    console.open("runs?project=harbour")
    for row in (0, 1):
        console.runs.get_by_role("checkbox", name=re.compile("^Choose run")).nth(row).check()
    console.button("Compare").click()
    expect(console.page).to_have_url(re.compile(r"/compare\?runs=\d+-\d+"))
    console.sees("What was different")
    console.sees("removed")


def test_a_running_run_is_watched_and_cancelled(console: Console) -> None:
    console.wait_for_the_example()
    console.launch(variables="slow_seconds: 120")
    console.ends("Running")
    console.sees("nodes done")
    expect(console.page.get_by_text(re.compile(r"[1-9]\d* of 35 nodes done"))).to_be_visible()
    console.picture("run")
    console.button("Cancel run").click()
    dialog = console.page.get_by_role("dialog")
    expect(dialog).to_contain_text("nodes are done")
    dialog.get_by_role("button", name="Cancel run").click()
    console.ends("Cancelled")
    expect(console.button("Retry from failure")).to_be_visible()


def test_clicking_launch_twice_launches_once(console: Console) -> None:
    console.wait_for_the_example()
    console.open("launch?project=harbour")
    console.button("Launch").dblclick()
    number = console.run_number()
    console.ends("Succeeded")
    console.open(f"run?run_id={number + 1}")
    console.sees("Run not found")


def test_wrong_input_is_told_beside_its_field_and_nothing_is_lost(console: Console) -> None:
    console.open("new_project")
    console.type("Name", "Not a name!")
    console.type("Description", "Typed before the mistake.")
    console.button("Create project").click()
    console.sees("needs your attention")
    expect(console.page.get_by_role("textbox", name="Name", exact=True)).to_have_value("Not a name!")
    expect(console.page.get_by_role("textbox", name="Description")).to_have_value("Typed before the mistake.")
    console.type("Name", "harbour")
    console.button("Create project").click()
    console.sees("harbour")
    expect(console.page).to_have_url(re.compile(r"/new_project"))
