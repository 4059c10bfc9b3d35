"""The start page, with a store as the collector leaves it."""

from models.run_state import RunState
from services import health
from tests.pages import seeded
from tests.pages.conftest import OpenPage
from tests.pages.drawn import rows


def test_an_empty_console_says_how_to_begin(open_page: OpenPage) -> None:
    page = open_page("overview")
    assert not page.exception
    assert any("no project yet" in info.value for info in page.info)


def test_it_shows_what_runs_now_what_failed_and_each_project(open_page: OpenPage) -> None:
    seeded.project("shop")
    seeded.healthy()
    seeded.run("shop", state=RunState.FAILED, message="Database Error: no route to warehouse")
    live = seeded.run("shop", state=RunState.RUNNING, minutes_ago=1)
    page = open_page("overview")
    assert not page.exception
    assert [row["id"] for row in rows(page)] == [live.id]
    assert any("no route to warehouse" in caption.value for caption in page.caption)
    assert page.get("bidi_component"), "the strip of the project's last runs"


def test_a_system_that_is_down_is_named_down_in_words(open_page: OpenPage) -> None:
    seeded.healthy()
    health.report(health.AIRFLOW, reachable=False, message="no connection")
    page = open_page("overview")
    assert any("Airflow down" in text.value for text in page.markdown)
    assert any("dbt API up" in text.value for text in page.markdown)
