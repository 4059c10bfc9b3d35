"""The page that every address begins with: a fresh browser finds the server at once, and may upload."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, Response, expect

from benchmarks.history_page import console
from stack.places import ROOT
from tests.browser.console import Console


@pytest.mark.parametrize("base", ["", "some/hub"])
def test_a_deep_link_opens_without_a_request_that_is_refused(page: Page, tmp_path: Path, base: str) -> None:
    refused: list[str] = []

    def note(response: Response) -> None:
        if response.status >= 400:
            refused.append(response.url)

    page.on("response", note)
    with console(ROOT / "app.py", ROOT, tmp_path, base=base) as address:
        seen = Console(page, address)
        seen.open("runs?state=Failed")
        seen.sees("No run matches")
        assert page.url == f"{address}/runs?state=Failed"
        page.get_by_role("link", name="Projects").click()
        expect(page).to_have_url(f"{address}/projects")
        page.reload()
        seen.settle()
        expect(page.get_by_role("heading", name="Projects")).to_be_visible()
    assert refused == []


@pytest.mark.parametrize("base", ["", "some/hub"])
def test_the_overview_opens_by_its_name(page: Page, tmp_path: Path, base: str) -> None:
    with console(ROOT / "app.py", ROOT, tmp_path, base=base) as address:
        seen = Console(page, address)
        for name in ("overview", "overview/"):
            seen.open(name)
            seen.sees("There is no project yet")
            expect(page).to_have_url(f"{address}/")
            expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_fresh_browser_may_upload(page: Page, tmp_path: Path) -> None:
    with console(ROOT / "app.py", ROOT, tmp_path) as address:
        seen = Console(page, address)
        seen.open("new_project")
        page.get_by_role("radio", name="An upload").or_(seen.button("An upload")).first.click()
        with page.expect_response(re.compile("_stcore/upload_file")) as answer:
            file: FilePayload = {"name": "shop.zip", "mimeType": "application/zip", "buffer": b"PK and so on"}
            page.locator("input[type=file]").set_input_files(file)
        assert answer.value.ok
        seen.sees("shop.zip")
