"""What an analyst does in the console, in the words of the page."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Locator, Page, expect

RUN_ADDRESS = re.compile(r"/run\?run_id=\d+")
RUN_MILLISECONDS = 180_000


@dataclass
class Console:
    """One browser at one console."""

    page: Page
    url: str

    def open(self, address: str) -> None:
        """Go to a page and wait until it is drawn."""
        self.page.goto(f"{self.url}/{address}")
        self.settle()

    def settle(self) -> None:
        """Wait until the script run that is under way has finished and drawn."""
        self.page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
        expect(self.page.locator("[data-testid='stSkeleton']")).to_have_count(0)

    def wear(self, scheme: Literal["light", "dark"]) -> None:
        """Ask for the light or the dark look, as the reader's system would."""
        self.page.emulate_media(color_scheme=scheme)
        colour = {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 22, 31)"}[scheme]
        expect(self.page.get_by_test_id("stApp")).to_have_css("background-color", colour)

    def button(self, name: str) -> Locator:
        """The button of this name."""
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def runs(self) -> Locator:
        """The table of runs."""
        return self.page.get_by_role("table", name=re.compile("^Runs:"))

    def type(self, field: str, text: str) -> None:
        """Fill a text field and leave it, which is when Streamlit takes the text."""
        box = self.page.get_by_role("textbox", name=field, exact=True)
        box.fill(text)
        box.press("Tab")
        self.settle()

    def choose(self, field: str, option: str) -> None:
        """Choose from a list."""
        self.page.get_by_role("combobox", name=re.compile(re.escape(field))).click()
        self.page.get_by_role("option", name=option, exact=True).click()
        self.settle()

    def sees(self, text: str, *, milliseconds: int = 60_000) -> None:
        """The text is on the page, or soon will be."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=milliseconds)

    def wait_for_the_example(self) -> None:
        """The example is registered in the background when the stack starts."""
        self.open("project?name=harbour")
        expect(self.button("Launch")).to_be_enabled(timeout=RUN_MILLISECONDS)

    def launch(self, *, project: str = "harbour", variables: str = "", select: str = "") -> int:
        """Fill in the launch page, launch, and answer the number of the run whose page opens."""
        self.open(f"launch?project={project}")
        if variables:
            self.type("Vars (YAML)", variables)
        if select:
            self.type("dbt selectors", select)
        self.button("Launch").click()
        return self.run_number()

    def run_number(self) -> int:
        """The number of the run whose page is open."""
        expect(self.page).to_have_url(RUN_ADDRESS)
        return int(self.page.url.split("run_id=")[1].split("&")[0])

    def ends(self, state: str) -> None:
        """The run's page shows by itself that the run has ended so."""
        badge = self.page.locator(".stMarkdownBadge").filter(has_text=state).first
        expect(badge).to_be_visible(timeout=RUN_MILLISECONDS)

    def picture(self, name: str) -> None:
        """Keep what the browser shows, when a folder for pictures is set: `PICTURES=docs/images`."""
        if folder := os.environ.get("PICTURES"):
            self.settle()
            self.page.mouse.move(0, 0)
            self.page.screenshot(path=Path(folder) / f"{name}.png")
