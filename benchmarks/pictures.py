"""`python -m benchmarks.pictures docs/images`: the documentation's pictures of history, run and log, light and dark.

They show the made-up store of `benchmarks.big_store`, with the collector running and nothing behind it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, expect, sync_playwright

from benchmarks.history_page import ROOT, console, fill

BIG_RUN = 99994
SCREENS = {
    "runs": ("runs", "text=100,000 runs"),
    "big_run": (f"run?run_id={BIG_RUN}", "text=of 3,000 nodes done"),
    "log": (f"run?run_id={BIG_RUN}&tab=Log&line=4100", "[role=log]"),
}
"""Each picture's page, and what has to be on the screen."""
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@contextmanager
def collector(data: Path) -> Iterator[None]:
    """The collector of a store."""
    variables = {**os.environ, "PILOTHOUSE_DATA": str(data)}
    variables |= {"PILOTHOUSE_AIRFLOW_PASSWORD": "unused", "PILOTHOUSE_DBT_API_TOKEN": "unused"}
    command = [sys.executable, "-m", "services.collector"]
    process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def take(browser: Browser, address: str, shown: str, scheme: Literal["light", "dark"], file: Path) -> None:
    """One picture of what a page shows once it has drawn everything."""
    context = browser.new_context(
        viewport={"width": 1400, "height": 900},
        color_scheme=scheme,
        timezone_id="UTC",
        locale="en-GB",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(address)
    page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
    expect(page.locator(shown).first).to_be_visible(timeout=60_000)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=60_000)
    page.wait_for_timeout(8_000)  # what is drawn on a canvas tells nobody when it is done
    page.locator(shown).first.scroll_into_view_if_needed()
    page.screenshot(path=file)
    context.close()


def main() -> None:
    """Fill a store, open it, take all pictures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pictures", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "data"
        fill(data, 100_000)
        stack.enter_context(collector(data))
        address = stack.enter_context(console(ROOT / "app.py", ROOT, data))
        chromium = stack.enter_context(sync_playwright()).chromium
        browser = chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        stack.callback(browser.close)
        for name, (page, shown) in SCREENS.items():
            for scheme in SCHEMES:
                take(browser, f"{address}/{page}", shown, scheme, folder / f"{name}_{scheme}.png")


if __name__ == "__main__":
    main()
