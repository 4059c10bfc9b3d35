"""The HTML page that every address of the console begins with."""

import re
from pathlib import Path

import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from services.ui.entry import DRAWN_WITH, entry_routes

STATIC = Path(st.__file__).parent / "static"


def test_every_page_begins_with_streamlits_own_and_knows_which_scripts_it_will_want() -> None:
    client = TestClient(Starlette(routes=entry_routes("/hub/")))
    html = client.get("/hub/runs").text
    assert html.index("window.__streamlit") < html.index('<script type="module"'), "it is read when that script starts"
    named = re.findall(r'modulepreload" crossorigin href="\./([^"]+)"', html)
    assert len(named) == len(set(named))
    assert all((STATIC / name).is_file() for name in named)
    for name in DRAWN_WITH:
        assert any(f"/{name}." in each for each in named), f"Streamlit has no script {name} any more"
    assert client.get("/hub/").text == html
    assert client.get("/hub/nonsense").status_code == 404


def test_the_start_page_by_its_name_leads_to_where_it_is_and_keeps_what_was_asked() -> None:
    client = TestClient(Starlette(routes=entry_routes("/hub/")))
    answer = client.get("/hub/overview?project=shop%20floor")
    assert str(answer.url) == "http://testserver/hub/?project=shop%20floor"
    assert answer.text == client.get("/hub/runs").text
