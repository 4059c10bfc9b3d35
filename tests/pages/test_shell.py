"""The frame: every page is guarded, in the menu or hidden, and opened by its address."""

import ast

import pytest
from streamlit.testing.v1 import AppTest

from services.settings import ROOT, settings
from tests.pages.conftest import OpenPage

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


@pytest.mark.parametrize("page", PAGES)
def test_every_page_asks_the_guard_before_it_draws(page: str) -> None:
    """Without it, the first deep link after a start would show the page without frame and sign-in."""
    tree = ast.parse((ROOT / "pages" / f"{page}.py").read_text())
    calls = [
        ast.unparse(node.value) for node in tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ]
    first_drawn = next(index for index, call in enumerate(calls) if call == "shell.require()")
    assert first_drawn == 0


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ("overview", "run")])
def test_every_page_opens_on_an_empty_store(open_page: OpenPage, page: str) -> None:
    assert not open_page(page).exception


def test_no_words_for_programmers_are_drawn(open_page: OpenPage) -> None:
    """Streamlit's "magic" draws every text that stands alone on a page, such as the docstring of a constant."""
    assert not [each.value for each in open_page("run", run_id="1").markdown if "the URL names" in each.value]


def test_who_acts_is_shown() -> None:
    console = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()
    assert [each.value for each in console.sidebar.caption] == [f":material/person: {settings().user}"]


def test_with_single_sign_on_nothing_is_shown_before_signing_in() -> None:
    console = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    console.secrets["auth"] = {"redirect_uri": "http://localhost/oauth2callback", "cookie_secret": "x"}
    console.user["is_logged_in"] = False
    console.run()
    assert not console.exception
    assert [each.label for each in console.button] == ["Sign in"]
    assert not console.title
    assert not console.sidebar.caption


def test_with_single_sign_on_the_signed_in_person_acts() -> None:
    console = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    console.secrets["auth"] = {"redirect_uri": "http://localhost/oauth2callback", "cookie_secret": "x"}
    console.user["is_logged_in"] = True
    console.user["email"] = "anna@example.com"
    console.run()
    assert [each.value for each in console.sidebar.caption] == [":material/person: anna@example.com"]
    assert "Sign out" in [each.label for each in console.sidebar.button]
