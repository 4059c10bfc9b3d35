"""The unversioned routes answer as the clients of dbt-labs and Fast.BI expect."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.unit.dbt_api.server import Server, eventually

ENDLESS = ["run", "--select", "slow", "--vars", '{"slow_ms": 600000}']


def post(server: Server, **body: Any) -> Any:
    return server.call("POST", "/invocations", json=body)


def ended(server: Server, task_id: str) -> dict[str, Any]:
    eventually(lambda: server.call("GET", f"/invocations/{task_id}").json()["state"] not in ("PENDING", "STARTED"))
    return dict(server.call("GET", f"/invocations/{task_id}").json())


def test_a_run_as_the_fastbi_operator_asks_for_it(server: Server) -> None:
    command = ["--log-level-file", "info", "run", "--exclude", "package:re_data", "--select", "orders", "-f"]
    body = {"command": [*command, "--vars", "{a: 1}", "--target", "prod"], "task_id": "fastbi", "project_dir": "shop"}

    answer = post(server, **body)
    assert answer.status_code == 200
    assert answer.json() == {"task_id": "fastbi", "log_path": None, "state": "PENDING"}
    assert post(server, **body).status_code == 200

    terminal = ended(server, "fastbi")
    assert terminal["state"] == "SUCCESS"
    assert "exc_type" not in terminal
    assert "Completed successfully" in terminal["log_content"]
    assert terminal["target"] == "prod"


def test_a_failed_model_is_named_with_dbts_words(server: Server) -> None:
    """Peer defect D2: dbt-server said only `exc_type: "NoneType"`."""
    words = ["run", "--select", "+broken", "--vars", '{"break": true}']
    post(server, command=words, task_id="broken", project_dir=str(server.data.parent / "shop"))

    terminal = ended(server, "broken")
    assert (terminal["state"], terminal["outcome"], terminal["exit_code"]) == ("FAILURE", "model_error", 1)
    assert terminal["exc_type"] == "DbtModelError"
    assert terminal["exc_message"].startswith("model.shop.broken: ")
    assert "no_such_column" in terminal["exc_message"]
    assert "no_such_column" in terminal["log_content"]


def test_while_it_runs_the_log_comes_on_request_only(server: Server) -> None:
    post(server, command=ENDLESS, task_id="live", project_dir="shop")
    server.sleeping("live")

    with_log = server.call("GET", "/invocations/live?include=log_content").json()
    assert with_log["state"] == "STARTED"
    assert "START sql table model" in with_log["log_content"] or "START sql view model" in with_log["log_content"]
    without = server.call("GET", "/invocations/live").json()
    assert without["state"] == "STARTED"
    assert "log_content" not in without
    server.call("POST", "/invocations/live/abort")
    ended(server, "live")


def test_a_long_log_comes_as_its_end(server: Server) -> None:
    post(server, command=["run", "--select", "loud", "--vars", '{"lines": 700}'], task_id="long", project_dir="shop")
    content = ended(server, "long")["log_content"]
    assert content.startswith("[The log is longer")
    assert content.endswith("\n")
    assert "Done. PASS=1" in content
    assert len(content.encode()) < (1 << 20) + 100


def test_an_unknown_id_is_an_answer(server: Server) -> None:
    for answer in (server.call("GET", "/invocations/nobody"), server.call("POST", "/invocations/nobody/abort")):
        assert (answer.status_code, answer.json()) == (200, {"task_id": "nobody", "state": "NOT_FOUND"})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"command": []},
        {"command": ["run"], "project_dir": "/etc"},
        {"command": ["run", "--project-dir", "shop"], "project_dir": "shop"},
        {"command": ["run", "--profiles-dir", "/tmp"], "project_dir": "shop"},
        {"command": ["clean"], "project_dir": "shop"},
        {"command": ["run"], "project_dir": "shop", "task_id": "../../etc"},
        {"command": ["run"], "project_dir": "shop", "task_id": ".."},
        {"command": ["run"], "project_dir": "shop", "callback_url": "http://127.0.0.1/"},
    ],
)
def test_a_wrong_request_is_422_in_the_three_keys(server: Server, body: dict[str, Any]) -> None:
    answer = post(server, **body)
    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (problem["status_code"], problem["data"]) == (422, None)
    assert problem["message"]


def test_the_same_id_with_another_body_is_a_conflict(server: Server) -> None:
    post(server, command=["ls"], task_id="taken", project_dir="shop")
    answer = post(server, command=["ls", "--select", "orders"], task_id="taken", project_dir="shop")
    assert answer.status_code == 409
    ended(server, "taken")


def test_a_finished_one_stays_as_it_is_when_aborted(server: Server) -> None:
    post(server, command=["ls"], task_id="done", project_dir="shop")
    before = ended(server, "done")
    server.call("POST", "/invocations/done/abort")
    assert ended(server, "done") == before


def test_many_submit_the_same_id_at_once(server: Server) -> None:
    """Peer defects D19 and F35: a repeated submission ran dbt twice."""
    body = {"command": ["ls"], "task_id": "race", "project_dir": "shop"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(server, **body), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert ended(server, "race")["attempt"] == 1
    listed = server.call("GET", "/invocations").json()["invocations"]
    assert [each["task_id"] for each in listed].count("race") == 1


def test_ready_is_open_by_get_and_post(server: Server) -> None:
    import requests

    for answer in (requests.get(f"{server.url}/ready", timeout=5), requests.post(f"{server.url}/ready", timeout=5)):
        assert answer.status_code == 200
        assert answer.json()["adapters"] == ["duckdb"]
        assert json.loads(answer.text)["ready"] is True


def test_the_fastbi_operator_hammers_and_gets_its_answer(server: Server) -> None:
    """Peer defects F33, F34, F35: it posts and asks without a pause, minds only two states, and starts over.

    Its whole budget is 3,600 answers, so what it asks for is held; what it repeats starts nothing twice.
    """
    words = ["--log-level-file", "info", "run", "--select", "slow", "--vars", '{"slow_ms": 3000}', "--target", "prod"]
    body = {"command": words, "task_id": "slow-6f0c", "project_dir": "shop"}
    assert {post(server, **body).status_code for _ in range(20)} == {200}

    answers: list[dict[str, Any]] = []
    while not answers or answers[-1]["state"] not in ("SUCCESS", "FAILURE"):
        answers.append(server.call("GET", "/invocations/slow-6f0c").json())
        if len(answers) == 2:
            assert {post(server, **body).status_code for _ in range(20)} == {200}
    assert len(answers) < 100, "each answer of an unfinished one was held"
    assert all("log_content" not in each for each in answers[:-1])
    assert answers[-1]["state"] == "SUCCESS"
    assert "Completed successfully" in answers[-1]["log_content"]
    assert answers[-1]["attempt"] == 1


def test_a_client_that_minds_no_abort_hears_of_one_at_once_for_ever(server: Server) -> None:
    """Peer defect F34: what was aborted answers without being held, with a log that is not empty. D5: it stays so."""
    post(server, command=ENDLESS, task_id="busy", project_dir="shop")
    server.sleeping("busy")
    post(server, command=["ls"], task_id="queued", project_dir="shop")
    for task_id in ("queued", "busy"):
        server.call("POST", f"/invocations/{task_id}/abort")
        for _ in range(3):
            answer = ended(server, task_id)
            assert (answer["state"], answer["outcome"]) == ("ABORTED", "aborted")
            assert answer["log_content"]
            assert "exc_type" not in answer
    assert server.read("queued")["attempt"] == 0


def test_the_list_is_paged_by_an_opaque_cursor(server: Server) -> None:
    for number in range(3):
        post(server, command=["ls", "--nope"], task_id=f"listed{number}", project_dir="shop")
    first = server.call("GET", "/invocations?limit=2").json()
    then = server.call("GET", f"/invocations?limit=2&cursor={first['next_cursor']}").json()
    assert [each["task_id"] for each in first["invocations"]] == ["listed2", "listed1"]
    assert then["invocations"][0]["task_id"] == "listed0"
    assert server.call("GET", "/invocations?cursor=7").status_code == 422
    parameters = server.call("GET", "/openapi.json").json()["paths"]["/invocations"]["get"]["parameters"]
    assert {each["name"]: each["schema"].get("default") for each in parameters}["limit"] == 100
