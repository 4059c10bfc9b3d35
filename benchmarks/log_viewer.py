"""The log viewer in Chromium: how soon a log of 1,000 and of 100,000 lines opens, and what following costs.

    python -m benchmarks.log_viewer            # prints the figures; needs Debian's Chromium

Each page is opened in a fresh browser context, in turn; the medians are compared, so that a busy machine harms both.
"""

import argparse
import json
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from benchmarks import long_log
from services.logs import append
from tests.browser.log_page import LogPage, MadeLog, run_with_log
from tests.stack.harness import Stack

SHORT, LONG = 1_000, 100_000
LINES_A_SECOND = 50
_LONG_TASKS = """
window.tasks = [];
new PerformanceObserver(list => window.tasks.push(...list.getEntries().map(one => one.duration)))
  .observe({ type: "longtask", buffered: true });
"""


def wait_for_index(log: LogPage, lines: int) -> None:
    """A made-up log has no index yet; the collector makes that of a real one as it grows."""
    expect(log.total).to_have_text(re.compile(rf"(^|of ){lines:,} lines$"), timeout=120_000)


def indexed(browser: Browser, stack: Stack, made: MadeLog, lines: int) -> None:
    """Open a log once and stay until it has an index."""
    log = LogPage(browser.new_context().new_page(), stack.console_url)
    log.open(made.run)
    wait_for_index(log, lines)
    log.page.context.close()


def settled(browser: Browser, stack: Stack, made: MadeLog) -> float:
    """Seconds from the navigation to the log's last line on the screen."""
    page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    try:
        began = time.perf_counter()
        LogPage(page, stack.console_url).open(made.run)
        return time.perf_counter() - began
    finally:
        page.context.close()


def following(browser: Browser, stack: Stack, made: MadeLog, seconds: int) -> dict[str, Any]:
    """What it costs to follow a log that grows: bytes a second, and the longest task of the page's main thread."""
    page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    page.add_init_script(_LONG_TASKS)
    traffic = _count_traffic(page)
    log = LogPage(page, stack.console_url)
    log.open(made.run, "&levels=error,warn,info,debug")
    wait_for_index(log, LONG)
    page.wait_for_timeout(3_000)
    traffic.update(socket=0, http=0)
    page.evaluate("window.tasks.length = 0")
    number = LONG
    for _ in range(seconds):
        append(made.path, made.path.stat().st_size, b"".join(long_log.lines(LINES_A_SECOND, first=number + 1)))
        number += LINES_A_SECOND
        page.wait_for_timeout(1_000)
    log.sees(str(number))
    tasks = page.evaluate("window.tasks")
    page.context.close()
    return {
        "socket_kb_a_second": round(traffic["socket"] / seconds / 1000, 1),
        "http_kb_a_second": round(traffic["http"] / seconds / 1000, 1),
        "longest_task_ms": round(max(tasks, default=0)),
    }


def _count_traffic(page: Page) -> dict[str, int]:
    """Bytes over the page's socket and, as sent, in answers for parts of logs; counted on in place."""
    traffic = {"socket": 0, "http": 0}
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    wanted: set[str] = set()

    def count(name: str, size: int) -> None:
        traffic[name] += size

    devtools.on("Network.webSocketFrameReceived", lambda event: count("socket", len(event["response"]["payloadData"])))
    devtools.on("Network.webSocketFrameSent", lambda event: count("socket", len(event["response"]["payloadData"])))
    devtools.on(
        "Network.responseReceived",
        lambda event: wanted.add(event["requestId"]) if "/api/logs/" in event["response"]["url"] else None,
    )
    devtools.on(
        "Network.loadingFinished",
        lambda event: count("http", int(event["encodedDataLength"])) if event["requestId"] in wanted else None,
    )
    return traffic


def measure(*, rounds: int, seconds: int) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        stack = Stack(Path(folder) / "data", parts=("console",))
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            stack.start()
            short, long = (run_with_log(stack, lines) for lines in (SHORT, LONG))
            indexed(browser, stack, short, SHORT)
            indexed(browser, stack, long, LONG)
            times: dict[str, list[float]] = {"short": [], "long": []}
            for _ in range(rounds):
                times["short"].append(settled(browser, stack, short))
                times["long"].append(settled(browser, stack, long))
            live = run_with_log(stack, LONG, "--running")
            followed = following(browser, stack, live, seconds)
        finally:
            browser.close()
            stack.close()
    middle = {name: statistics.median(values) for name, values in times.items()}
    opened = {"seconds_1k": round(middle["short"], 2), "seconds_100k": round(middle["long"], 2)}
    return {**opened, "ratio": round(middle["long"] / middle["short"], 2), **followed}


def main() -> None:
    """Measure, print, and say whether the figures are what they should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=20)
    given = parser.parse_args()
    figures = measure(rounds=given.rounds, seconds=given.seconds)
    print(json.dumps(figures, indent=2))
    good = figures["ratio"] <= 1.5 and figures["socket_kb_a_second"] <= 20 and figures["longest_task_ms"] <= 200
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
