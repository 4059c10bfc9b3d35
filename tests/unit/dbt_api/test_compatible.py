"""The unversioned routes answer as the clients of dbt-labs and Fast.BI expect."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.unit.dbt_api.server import Server, eventually


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
    words = ["run", "--select", "+broken", "--vars", '{"break": true}']
    post(server, command=words, task_id="broken", project_dir=str(server.data.parent / "shop"))

    terminal = ended(server, "broken")
    assert (terminal["state"], terminal["outcome"], terminal["exit_code"]) == ("FAILURE", "model_error", 1)
    assert terminal["exc_type"] == "DbtModelError"
    assert terminal["exc_message"].startswith("model.shop.broken: ")
    assert "no_such_column" in terminal["exc_message"]
    assert "no_such_column" in terminal["log_content"]


def test_while_it_runs_the_log_comes_on_request_only(server: Server) -> None:
    post(server, command=["run", "--select", "slow", "--vars", '{"slow_ms": 4000}'], task_id="live", project_dir="shop")
    server.sleeping("live")

    with_log = server.call("GET", "/invocations/live?include=log_content").json()
    assert with_log["state"] == "STARTED"
    assert "START sql table model" in with_log["log_content"] or "START sql view model" in with_log["log_content"]
    without = server.call("GET", "/invocations/live").json()
    assert without["state"] != "STARTED" or "log_content" not in without
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
