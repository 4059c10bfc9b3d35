import pytest
from streamlit.testing.v1 import AppTest

from services import health
from services.settings import settings
from tests.pages.conftest import OpenPage


def text_of(page: AppTest) -> str:
    return "\n".join(each.value for each in [*page.markdown, *page.caption, *page.warning])


def test_what_is_down_says_so_with_its_age(open_page: OpenPage) -> None:
    health.report(health.COLLECTOR, reachable=True)
    health.report(health.AIRFLOW, reachable=True, version="3.3.2")
    health.report(health.AIRFLOW, reachable=False, message="Cannot reach Airflow.")
    text = text_of(open_page("system"))
    assert "3\\.3\\.2" in text
    assert "Cannot reach Airflow" in text
    assert "last good" in text


def test_without_a_collector_the_page_says_that_it_may_be_old(open_page: OpenPage) -> None:
    assert "may be old" in open_page("system").warning[0].value


def test_settings_tell_their_origin_and_no_secret(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTHOUSE_DBT_API_TOKEN", "hunter2")
    monkeypatch.setenv("PILOTHOUSE_AIRFLOW_URL", "http://me:hunter3@127.0.0.1:9")
    settings.cache_clear()
    page = open_page("system")
    table = page.dataframe[0].value.set_index("Setting")
    assert table.loc["PILOTHOUSE_DBT_API_TOKEN", "Value"] == "•••••• (set)"
    assert table.loc["PILOTHOUSE_DBT_API_TOKEN", "From"] == "environment"
    assert table.loc["PILOTHOUSE_COLLECTOR_INTERVAL_SECONDS", "From"] == "default"
    everything = text_of(page) + table.to_string()
    assert "hunter2" not in everything
    assert "hunter3" not in everything
