"""The log viewer as an analyst uses it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, Request, expect

from stack.places import ROOT
from tests.browser.console import Console
from tests.stack.harness import Stack


@dataclass
class MadeLog:
    """A run with a made-up log."""

    run: int
    path: Path


def run_with_log(stack: Stack, lines: int, *words: str) -> MadeLog:
    """A run in the store of a stack with a log of so many lines."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PILOTHOUSE_")}
    made = subprocess.run(
        [sys.executable, "-m", "benchmarks.long_log", str(lines), *words],
        cwd=ROOT, env={**environment, "PILOTHOUSE_DATA": str(stack.data)}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    number, path = made.stdout.split(maxsplit=1)
    return MadeLog(int(number), Path(path.strip()))


@dataclass
class LogPage:
    """The log tab of a run, in one browser."""

    page: Page
    url: str

    def open(self, run: int, query: str = "") -> None:
        """Open the log tab at an address, and wait for the first lines."""
        Console(self.page, self.url).open(f"run?run_id={run}&tab=Log{query}")
        expect(self.rows.first).to_be_visible(timeout=120_000)
        self.box.scroll_into_view_if_needed()

    @property
    def box(self) -> Locator:
        """The part that scrolls."""
        return self.page.get_by_role("log")

    @property
    def rows(self) -> Locator:
        """The lines in the document."""
        return self.box.get_by_role("listitem")

    @property
    def status(self) -> Locator:
        """What was found."""
        return self.page.locator(".foot .status")

    @property
    def total(self) -> Locator:
        """How many lines there are."""
        return self.page.locator(".foot .total")

    @property
    def search(self) -> Locator:
        """The search field."""
        return self.page.get_by_role("searchbox", name="Search the log")

    def line(self, name: str) -> Locator:
        """The line of this name, if it is in the document."""
        return self.box.locator(f'[data-line="{name}"]')

    def sees(self, name: str) -> None:
        """The line is on the screen. Notices that come above the viewer move it: it is brought back first."""
        expect(self.line(name)).to_be_visible(timeout=60_000)
        self.box.scroll_into_view_if_needed()
        expect(self.line(name)).to_be_in_viewport(timeout=60_000)

    def elements(self) -> int:
        """How many elements the viewer has."""
        return int(self.box.evaluate("box => box.getRootNode().querySelectorAll('*').length"))

    def scroll_to(self, share: float) -> None:
        """Drag the scroll bar there."""
        self.box.evaluate("(box, share) => { box.scrollTop = share * (box.scrollHeight - box.clientHeight) }", share)

    def top_line(self) -> int:
        """The number of the line at the top of the screen."""
        return int(
            self.box.evaluate(
                "box => { const top = box.getBoundingClientRect().top + 2, rows = [...box.querySelectorAll('.row')];"
                "return rows.find(row => row.getBoundingClientRect().bottom > top)?.dataset.line ?? 0 }"
            )
        )


def log_requests(page: Page) -> list[Request]:
    """The requests for parts of logs, as they are made from now on."""
    made: list[Request] = []
    page.on("request", lambda request: made.append(request) if "/api/logs/" in request.url else None)
    return made
