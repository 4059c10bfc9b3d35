"""What a submission may say, how often it counts, and what of it is hidden."""

import json
from typing import Any

import pytest

from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import Server

URL = "/api/v1/invocations"


def post(server: Server, **body: Any) -> Any:
    headers = body.pop("headers", {})
    return server.call("POST", URL, json={"project": "shop", "command": ["ls", "--nope"], **body}, headers=headers)


def test_fields_become_dbts_options(server: Server) -> None:
    answer = post(
        server,
        task_id="fields",
        command=["build"],
        target="prod",
        vars={"a": 1},
        threads=2,
        full_refresh=True,
        select=["orders", "tag:x"],
        exclude=["slow"],
        tags={"team": "sales"},
        metadata={"ticket": [1, None]},
        queue="invocations",
        environment="default",
    ).json()
    options = "--target prod --vars '{\"a\": 1}' --threads 2 --full-refresh --select orders tag:x --exclude slow"
    assert answer["command_display"] == f"dbt build {options}"
    assert (answer["target"], answer["concurrency_key"]) == ("prod", "shop/prod")
    assert (answer["tags"], answer["metadata"]) == ({"team": "sales"}, {"ticket": [1, None]})
    assert (answer["queue"], answer["max_attempts"], answer["environment"]) == ("invocations", 1, "default")
    assert (answer["phase"], answer["status"]) == ("queued", 1)
    ended = server.ended("fields")
    assert (ended["state"], ended["counts"]["pass"]) == ("SUCCESS", 1)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"command": ["run", "-t", "prod"], "target": "dev"}, "'target' is given twice"),
        ({"command": ["run", "--select=a"], "select": ["b"]}, "'select' is given twice"),
        ({"command": ["run", "-f"], "full_refresh": True}, "'full_refresh' is given twice"),
        ({"command": ["run", "--vars", "{}"], "vars": {"a": 1}}, "'vars' is given twice"),
        ({"env": {"LD_PRELOAD": "/tmp/x.so"}}, "may not set: LD_PRELOAD"),
        ({"env": {"PATH": "/tmp"}}, "CLIENT_ENVIRONMENT_ALLOWED"),
        ({"env": {"DBT_ENV_A": "a\0b"}}, "env.DBT_ENV_A"),
        ({"select": ["--profiles-dir=/tmp"]}, "select.0"),
        ({"command": ["run", "--target", "../../x"]}, "target is not a name"),
        ({"command": ["run", "-tprod"]}, "write --target"),
        ({"command": ["run", "--vars", "{a: &a [1], b: *a}"]}, "aliases"),
        ({"command": []}, "command"),
        ({"command": ["run"], "surprise": 1}, "surprise"),
        ({"queue": "another"}, "queue"),
        ({"environment": "v9"}, "no dbt environment 'v9'"),
        ({"command": ["retry", "--threads", "2"]}, "it takes --target only"),
        ({"timeout_s": 600, "timeout_seconds": 600}, "timeout_s"),
        ({"callback_url": "http://127.0.0.1/"}, "PILOTHOUSE_DBT_API_CALLBACK_HOSTS"),
    ],
)
def test_what_cannot_be_meant_is_422(server: Server, wrong: dict[str, Any], told: str) -> None:
    answer = post(server, **wrong)
    assert answer.status_code == 422
    assert told in f"{answer.json()['detail']} {answer.json()['hint']}"


def test_a_missing_command_is_422(server: Server) -> None:
    """Peer defect D7: dbt-server answered 500."""
    for url in (URL, "/invocations"):
        assert server.call("POST", url, json={"project": "shop"}).status_code == 422


def test_an_idempotency_key_stands_for_the_task_id(server: Server) -> None:
    """Peer defect D19: a repeated submission ran production twice."""
    first = post(server, headers={"Idempotency-Key": "key-of-a-run"})
    again = post(server, headers={"Idempotency-Key": '"key-of-a-run"'})
    assert (first.status_code, again.status_code) == (202, 200)
    assert "Idempotent-Replay" not in first.headers
    assert first.headers["Location"] == f"{URL}/key-of-a-run"
    assert again.headers["Idempotent-Replay"] == "true"
    assert first.json()["task_id"] == again.json()["task_id"] == "key-of-a-run"
    assert post(server, command=["ls"], headers={"Idempotency-Key": "key-of-a-run"}).status_code == 409
    odd = post(server, headers={"Idempotency-Key": "a key / of another form"}).json()["task_id"]
    assert odd == post(server, headers={"Idempotency-Key": "a key / of another form"}).json()["task_id"]
    assert post(server, task_id="other", headers={"Idempotency-Key": "key-of-a-run"}).status_code == 422


def test_the_time_limit_has_two_names(server: Server) -> None:
    answers = [
        post(server, task_id="limited", **{name: seconds})
        for name, seconds in (("timeout_s", 600), ("timeout_seconds", 600), ("timeout_s", 601))
    ]
    assert [answer.status_code for answer in answers] == [202, 200, 409]


def test_secret_values_reach_dbt_and_nobody_else(server: Server) -> None:
    folder = server.data.parent / "secretive"
    write_project(
        folder,
        **{
            "models/shown.sql": "{{ log('says ' ~ var('db')['password'] ~ env_var('DBT_ENV_API_TOKEN', ''), true) }}"
            "select '{{ var('db')['password'] }}' as leaked, {{ var('db')['password'] | length }} as size",
        },
    )
    server.register("secretive", folder)
    secrets = ["hunter2'\\-in-a-var", "hunter3-in-the-environment"]
    answer = post(
        server,
        task_id="secretive",
        project="secretive",
        command=["compile", "--select", "shown", "--vars", json.dumps({"db": {"password": secrets[0], "user": "me"}})],
        env={"DBT_ENV_API_TOKEN": secrets[1]},
    )
    assert json.loads(answer.json()["command"][4]) == {"db": {"password": "*****", "user": "me"}}
    assert server.ended("secretive")["state"] == "SUCCESS"
    assert f"{len(secrets[0])} as size" in server.call("GET", f"{URL}/secretive/artifacts/manifest.json").text
    kept = [each for each in server.data.rglob("*") if each.is_file() and "warehouses" not in each.parts]
    told = {each: each.read_bytes() for each in kept}
    for secret in (b"hunter2", b"hunter3"):
        assert [str(each) for each, text in told.items() if secret in text] == []

    refused = server.call("POST", f"{URL}/secretive/retry", json={"mode": "all"})
    assert refused.status_code == 409
    assert "secret values" in refused.json()["detail"]
    assert server.read("secretive")["can_retry"] is False


def test_a_full_queue_says_when_to_come_again(start_server: Any) -> None:
    """And what is submitted need not wait until the worker looks for work, which it does so rarely here."""
    server = start_server(SLOTS="1", QUEUE_LIMIT_PER_PROJECT="1", QUEUE_LIMIT="2", QUEUE_POLL_SECONDS="600")
    server.submit("runs", "run", "--select", "slow", "--vars", '{"slow_ms": 600000}')
    server.sleeping("runs")
    server.submit("waits", "ls")
    full = post(server, task_id="refused", command=["ls"])
    assert full.status_code == 429
    assert int(full.headers["Retry-After"]) > 0
    assert "'shop'" in full.json()["detail"]
    assert post(server, task_id="waits", command=["ls"]).status_code == 200, "a replay needs no place"
    server.submit("elsewhere", "ls", project="other")
    assert "The queue is full" in post(server, project="other").json()["detail"]
    assert server.call("GET", f"{URL}/refused").status_code == 404
    server.call("POST", f"{URL}/waits/abort")
    urgent = post(server, task_id="fits", priority=1)
    assert (urgent.status_code, urgent.json()["queue_position"]) == (202, 1)
    server.call("POST", f"{URL}/runs/abort", json={"mode": "now"})
    assert server.ended("fits")["started_at"] < server.ended("elsewhere")["started_at"], "the lower number runs first"


def test_turns_go_by_priority_and_arrival_over_all_targets(start_server: Any) -> None:
    """More targets wait than slots are free: DBOS would draw lots between them."""
    server = start_server(SLOTS="1")
    server.submit("runs", "run", "--select", "slow", "--vars", '{"slow_ms": 600000}')
    server.sleeping("runs")
    priorities = {"t1": 9, "t2": 3, "t3": 5, "t4": 3, "t5": 1}
    for target, priority in priorities.items():
        assert post(server, task_id=target, target=target, priority=priority).status_code == 202
    placed = {target: server.read(target)["queue_position"] for target in priorities}
    server.call("POST", f"{URL}/runs/abort", json={"mode": "now"})
    started = {target: server.ended(target)["started_at"] for target in priorities}
    assert sorted(priorities, key=lambda target: started[target]) == ["t5", "t2", "t4", "t3", "t1"]
    assert placed == {"t5": 1, "t2": 2, "t4": 3, "t3": 4, "t1": 5}
