"""The capacity page, from what the collector kept: full, free, old, and not known yet."""

from streamlit.testing.v1 import AppTest

from models.run_state import RunState
from services import capacity, health
from tests.pages import seeded
from tests.pages.conftest import OpenPage
from tests.unit.services.capacity.test_reasons import capacity as made
from tests.unit.services.capacity.test_reasons import task


def text_of(page: AppTest) -> str:
    drawn = [*page.markdown, *page.caption, *page.warning, *page.info, *page.success, *page.error]
    return "\n".join(str(each.value) for each in drawn).replace("\\", "")


def test_before_the_first_news_the_page_says_so(open_page: OpenPage) -> None:
    page = open_page("capacity")
    assert not page.exception
    assert "Nothing is known of Airflow's capacity yet" in text_of(page)


def test_a_full_airflow_shows_what_waits_and_why(open_page: OpenPage) -> None:
    capacity.keep(made(*[task() for _ in range(4)], task(state="scheduled")))
    seeded.run(state=RunState.STARTING, message="Airflow is full: 4 tasks run.")
    page = open_page("capacity")
    assert not page.exception
    told = text_of(page)
    assert "parallelism allows 4" in told
    assert "As Airflow told" in told
    assert "Airflow is full: 4 tasks run." in told
    assert "1 run waiting" in told
    values = {metric.label: metric.value for metric in page.metric}
    assert (values["Places used"], values["Waiting"]) == ("4 of 4", "1")
    pools = page.dataframe[0].value
    assert list(pools["Open"]) == ["120", "no limit", "0"]


def test_with_airflow_away_the_last_news_stays_with_its_age(open_page: OpenPage) -> None:
    capacity.keep(made())
    health.report(health.COLLECTOR, reachable=True)
    health.report(health.AIRFLOW, reachable=True)
    health.report(health.AIRFLOW, reachable=False, message="Connection refused.")
    told = text_of(open_page("capacity"))
    assert "Airflow doesn't answer" in told
    assert "Airflow has room." in told
