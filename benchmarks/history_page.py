"""How soon the history of 100,000 runs has settled in a browser, against a Streamlit page with nothing but a title.

Both are measured in turn in one run, each time by a fresh browser context: from the start of the navigation until the
script has ended, everything is drawn and the main thread has been free for 0.7 s.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
RATIO_BAR, KILOBYTES_BAR = 1.3, 50
EMPTY_PAGE = 'import streamlit as st\n\nst.set_page_config(layout="wide")\nst.title("Empty")\n'
WATCH = """
window.lastLongTask = 0;
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries())
    window.lastLongTask = Math.max(window.lastLongTask, startTime + duration);
}).observe({ type: "longtask", buffered: true });
"""
SETTLED = """(selector) => {
  const ended = document.querySelector("[data-testid='stApp'][data-test-script-state='notRunning']");
  const hosts = document.querySelectorAll("[data-testid='stBidiComponentIsolated']");
  const parts = [...hosts].map((host) => host.shadowRoot);
  const filled = parts.every((part) => part?.querySelector("dt, li, tbody tr, hr"));
  const seen = [document, ...parts].some((part) => part?.querySelector(selector));
  const drawn = ended && seen && filled && !document.querySelector("[data-testid='stSkeleton']");
  if (!drawn) { window.drawnAt = null; return false; }
  window.drawnAt ??= performance.now();
  const last = Math.max(window.drawnAt, window.lastLongTask);
  return performance.now() - last > 700 && last;
}"""


@dataclass(frozen=True)
class Opened:
    """One visit."""

    seconds: float
    kilobytes: float
    """What the server sent over the socket until all was drawn: news of live runs come later and are not the page."""


@contextmanager
def console(script: Path, folder: Path, data: Path, *, base: str = "") -> Iterator[str]:
    """Serve a Streamlit script with the project's own configuration, below a path if given; answers its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    command += ["--server.baseUrlPath", base] if base else []
    variables = {**os.environ, "PILOTHOUSE_DATA": str(data), "PILOTHOUSE_USER": "anna", "PYTHONPATH": str(ROOT)}
    variables |= {"PILOTHOUSE_AIRFLOW_PASSWORD": "unused", "PILOTHOUSE_DBT_API_TOKEN": "unused"}
    server = subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}/{base}".rstrip("/")
    try:
        _wait_for(f"{address}/_stcore/health")
        yield address
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(address: str) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(address, timeout=1).close()
        except OSError:
            time.sleep(0.25)
        else:
            return
    raise SystemExit(f"Nothing answers at {address}.")


def visit(browser: Browser, address: str, selector: str) -> Opened:
    """Open a page in a fresh context and wait until it has settled."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)
    sizes: list[int] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: sizes.append(len(frame))))
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
    page.wait_for_selector(selector)
    sent = sum(sizes)
    milliseconds = page.wait_for_function(SETTLED, arg=selector, polling=50).json_value()
    context.close()
    return Opened(milliseconds / 1000, sent / 1000)


def fill(data: Path, runs: int) -> None:
    """Make the store, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.big_store", "--runs", str(runs)]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PILOTHOUSE_DATA": str(data)}, check=True)


def measure(runs: int, rounds: int) -> tuple[list[Opened], list[Opened]]:
    """Visits of the empty page and of the history, in turn; the first of each warms up and does not count."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "empty.py").write_text(EMPTY_PAGE)
        fill(folder / "data", runs)
        empty_url = stack.enter_context(console(folder / "empty.py", ROOT, folder / "data"))
        history_url = stack.enter_context(console(ROOT / "app.py", ROOT, folder / "data"))
        chromium = stack.enter_context(sync_playwright()).chromium
        browser = chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        )
        stack.callback(browser.close)
        empty, history = [], []
        for _ in range(rounds + 1):
            empty.append(visit(browser, empty_url, "h1"))
            history.append(visit(browser, f"{history_url}/runs", "tbody tr"))
        return empty[1:], history[1:]


def main() -> int:
    """Measure, say it in three lines, and answer whether both bars are kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history_page", description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    empty, history = measure(chosen.runs, chosen.rounds)
    for name, visits in (("empty page", empty), (f"history of {chosen.runs:,} runs", history)):
        seconds = statistics.median(each.seconds for each in visits)
        print(f"{name:28} {seconds:6.2f} s  {max(each.kilobytes for each in visits):6.1f} kB on the socket")
    ratio = statistics.median(after.seconds / before.seconds for before, after in zip(empty, history, strict=True))
    kilobytes = max(each.kilobytes for each in history)
    print(f"ratio {ratio:.2f} (bar {RATIO_BAR}), {kilobytes:.1f} kB (bar {KILOBYTES_BAR})")
    return int(ratio > RATIO_BAR or kilobytes > KILOBYTES_BAR)


if __name__ == "__main__":
    raise SystemExit(main())
