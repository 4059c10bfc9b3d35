"""Pages driven in-process with AppTest on a store of their own: no server, no browser, no outside system."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from services import database
from services.settings import settings

ROOT = Path(__file__).parents[2]
CLOSED_PORT = "http://127.0.0.1:9"

OpenPage = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty store; Airflow and the dbt API are addresses where nobody listens."""
    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    monkeypatch.setenv("PILOTHOUSE_AIRFLOW_URL", CLOSED_PORT)
    monkeypatch.setenv("PILOTHOUSE_AIRFLOW_PASSWORD", "unused")
    monkeypatch.setenv("PILOTHOUSE_DBT_API_URL", CLOSED_PORT)
    monkeypatch.setenv("PILOTHOUSE_DBT_API_TOKEN", "unused")
    settings.cache_clear()
    database.engine.cache_clear()
    database.migrate()
    st.cache_data.clear()
    yield tmp_path
    database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()


@pytest.fixture
def open_page() -> OpenPage:
    """Opens a page by its name with the query parameters given, as a link would, and runs it."""

    def opened(name: str, /, **query: str) -> AppTest:
        console = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()
        assert not console.exception
        page = console.switch_page(f"pages/{name}.py")
        for key, value in query.items():
            page.query_params[key] = value
        return page.run()

    return opened
