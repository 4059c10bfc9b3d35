from streamlit.testing.v1 import AppTest

from models.run_state import RunState
from services import projects
from services.projects import ProjectDraft
from tests.pages import seeded
from tests.pages.conftest import OpenPage


def text_of(page: AppTest) -> str:
    shown = [*page.markdown, *page.caption, *page.info]
    return "\n".join([each.value for each in shown] + [each.label for each in page.button])


def test_without_projects_the_page_helps_on(open_page: OpenPage) -> None:
    page = open_page("projects")
    assert "No project yet" in text_of(page)
    assert "Create the first project" in [each.label for each in page.button]


def test_a_project_is_listed_with_schedule_state_and_last_run(open_page: OpenPage) -> None:
    seeded.project("harbour")
    seeded.run("harbour", state=RunState.FAILED)
    projects.create(ProjectDraft(name="shop", owner="O'Brien", schedule="0 6 * * *"), by="anna")
    text = text_of(open_page("projects"))
    assert "harbour" in text
    assert "Failed" in text
    assert "At 06\\:00" in text
    assert "Next: " not in text, "Airflow does not know it yet"
    assert "Source ready" in text
    assert "Never ran" in text


def test_search_is_part_of_the_address(open_page: OpenPage) -> None:
    seeded.project("harbour")
    seeded.project("shop")
    text = text_of(open_page("projects", q="harb"))
    assert "harbour" in text
    assert "shop" not in text
    assert "No project has nothing" in text_of(open_page("projects", q="nothing"))


def test_a_project_that_is_not_ready_cannot_be_launched(open_page: OpenPage) -> None:
    seeded.project("harbour")
    projects.create(ProjectDraft(name="shop", owner="anna"), by="anna")
    page = open_page("projects")
    assert not page.button(key="launch_harbour").disabled
    assert page.button(key="launch_shop").disabled
