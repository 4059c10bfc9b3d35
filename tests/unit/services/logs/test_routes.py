"""The console's log routes: every range asks for a ticket, answers are bounded, refusals say why."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from contracts.operators import OperatorName
from models.run import Invocation, Run
from services import database, logs
from services.database import session
from services.logs import tickets
from services.logs.routes import MOST_ROWS, TICKET_HEADER, routes
from tests.unit.services.logs.made import add, event


@pytest.fixture(autouse=True)
def store(data_folder: Path) -> Iterator[None]:
    database.engine.cache_clear()
    database.migrate()
    yield
    database.engine().dispose()
    database.engine.cache_clear()


@pytest.fixture
def console() -> TestClient:
    return TestClient(Starlette(routes=routes("/hub/")), base_url="http://console/hub/api/logs")


def stored(number: int = 1) -> Invocation:
    with session() as opened:
        run = Run(project="shop", dag_id="d", dag_run_id=f"r{number}", operator=OperatorName.DBT_API, command="build")
        opened.add(run)
        opened.flush()
        made = Invocation(run_id=run.id or 0, try_number=1, task_id=f"t{number}", log_complete=True)
        opened.add(made)
    return made


def headers(invocation: Invocation) -> dict[str, str]:
    return {TICKET_HEADER: tickets.ticket_for(invocation.run_id, "anna")}


def test_a_range_is_told_with_how_the_log_stands(console: TestClient) -> None:
    made = stored()
    add(made, b"".join(event(f"{n}", "error" if n == 150 else "info", node="model.x.a") for n in range(1, 251)))
    answer = console.get(f"{made.id}/rows?first=100&count=60", headers=headers(made)).json()
    assert [row[0] for row in answer["rows"]] == [str(n) for n in range(101, 161)]
    assert (answer["total"], answer["complete"], answer["read"]) == (250, True, 1)
    assert answer["heights"] == {"first": 0, "pages": [100, 100, 50]}
    assert answer["counts"]["error"] == 1
    again = console.get(f"{made.id}/rows?count=0&version={answer['version']}", headers=headers(made)).json()
    assert (again["same"], again["heights"], again["rows"]) == (250, {"first": 2, "pages": [50]}, [])


def test_a_line_opens_with_what_is_around_it_and_the_end_ends(console: TestClient) -> None:
    made = stored()
    add(made, b"".join(event(f"{n}") for n in range(1, 1001)))
    answer = console.get(f"{made.id}/rows?line=555&count=300", headers=headers(made)).json()
    assert answer["rows"][answer["at"] - answer["first"]][0] == "555"
    assert len(answer["rows"]) == 300
    answer = console.get(f"{made.id}/rows?end=1&count=300", headers=headers(made)).json()
    assert answer["rows"][-1][0] == "1000"
    assert console.get(f"{made.id}/rows?line=1001&count=9", headers=headers(made)).json()["at"] is None


def test_matches_and_errors_are_gone_through_in_both_directions(console: TestClient) -> None:
    made = stored()
    add(made, b"".join(event(f"x{n % 10}", "error" if n == 7 else "debug") for n in range(1, 31)))
    question = f"{made.id}/place?find=x3"
    first = console.get(f"{question}&row=-1", headers=headers(made)).json()
    assert (first["count"], first["number"], first["line"], first["searched"]) == (3, 1, "3", 1)
    assert console.get(f"{question}&row={first['at']}", headers=headers(made)).json()["line"] == "13"
    assert console.get(f"{question}&row=2&back=1", headers=headers(made)).json()["line"] == "23", "round the top"
    assert console.get(f"{made.id}/place?what=error&row=-1", headers=headers(made)).json()["line"] == "7"
    nothing = console.get(f"{made.id}/place?find=nothing", headers=headers(made)).json()
    assert (nothing["count"], nothing["at"]) == (0, None)


def test_nodes_and_a_whole_line(console: TestClient) -> None:
    made = stored()
    add(made, event("y" * 9_000, node="model.x.a"))
    assert console.get(f"{made.id}/nodes", headers=headers(made)).json() == {"model.x.a": 1}
    assert console.get(f"{made.id}/lines/1", headers=headers(made)).json() == {"text": "y" * 9_000}


def test_no_log_without_a_ticket_and_no_other_runs_log_with_one(
    console: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = stored(1), stored(2)
    add(mine, event("mine"))
    add(other, event("secret"))
    for what in ("rows?count=9", "place?find=s", "nodes", "lines/1"):
        assert console.get(f"{mine.id}/{what}", headers=headers(mine)).status_code == 200
        for refused in (console.get(f"{other.id}/{what}"), console.get(f"{other.id}/{what}", headers=headers(mine))):
            assert refused.status_code == 403
            assert "secret" not in refused.text
            assert refused.json()["hint"]
    forged = {TICKET_HEADER: headers(mine)[TICKET_HEADER][:-3] + "abc"}
    assert console.get(f"{mine.id}/rows", headers=forged).status_code == 403
    old = headers(mine)
    clock = time.time() + 3 * tickets.LIFETIME_SECONDS
    monkeypatch.setattr(time, "time", lambda: clock)
    assert console.get(f"{mine.id}/rows", headers=old).status_code == 403


def test_the_log_of_a_deleted_run_is_gone_for_an_open_page_too(console: TestClient) -> None:
    made = stored()
    ticket = headers(made)
    with session() as opened:
        opened.delete(opened.get_one(Invocation, made.id))
    assert console.get(f"{made.id}/rows", headers=ticket).status_code == 404


@pytest.mark.parametrize("wrong", ["source=x", "hide=x", "first=x", "line=0", "line=..", "find=(&regex=1", "count=1e3"])
def test_a_wrong_question_is_answered_with_what_is_wrong(console: TestClient, wrong: str) -> None:
    made = stored()
    add(made, event("x"))
    refused = console.get(f"{made.id}/rows?{wrong}", headers=headers(made))
    assert refused.status_code == 422
    assert refused.json()["message"]


def test_an_answer_is_bounded_whatever_is_asked(console: TestClient) -> None:
    made = stored()
    add(made, event("z" * 9_000) * 5 + event("z") * 2_000)
    rows = console.get(f"{made.id}/rows?count=999999", headers=headers(made)).json()["rows"]
    assert len(rows) == MOST_ROWS
    assert len(rows[0][5]) < 9_000


def test_a_log_is_downloaded_as_it_is_as_text_or_filtered(console: TestClient) -> None:
    made = stored()
    lines = event("one\ntwo", "error", second=1) + event("q" * 9_000, second=2) + event("three", "debug", second=3)
    add(made, lines)
    ticket = {"ticket": headers(made)[TICKET_HEADER]}
    raw = console.post(f"{made.id}/download", data={**ticket, "raw": "1"})
    assert raw.content == lines
    assert raw.headers["content-disposition"] == f'attachment; filename="run-{made.run_id}-try-1-dbt.jsonl"'
    text = console.post(f"{made.id}/download", data=ticket).text
    assert text.startswith("2026-11-23T21:00:01.000Z error one\ntwo\n2026-11-23T21:00:02.000Z info  qqq")
    assert "q" * 9_000 in text
    filtered = console.post(f"{made.id}/download", data={**ticket, "hide": "info", "find": "three", "only": "1"}).text
    assert filtered == "2026-11-23T21:00:03.000Z debug three\n"
    assert console.post(f"{made.id}/download", data={"raw": "1"}).status_code == 403


def test_a_missing_log_is_an_empty_one(console: TestClient) -> None:
    made = stored()
    answer = console.get(f"{made.id}/rows?source=all&count=100&end=1", headers=headers(made)).json()
    assert (answer["total"], answer["lines"], answer["rows"]) == (0, 0, [])
    assert not logs.path_of(made).exists()
