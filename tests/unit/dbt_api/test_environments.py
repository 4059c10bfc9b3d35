"""Several dbt environments side by side: a project names its own. dbt v2, which cannot be installed here, is a script
that behaves as facts of it are known: empty names in its log, and a cancelled model that it calls a success.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.dbt_api.project import write_project
from tests.unit.dbt_api.server import Server, eventually

FAKE = """#!{python}
import json, signal, sys, time
from datetime import datetime, timezone

def tell(message, level="info", **data):
    info = {{"name": "", "code": "", "level": level, "msg": message, "ts": datetime.now(timezone.utc).isoformat()}}
    print(json.dumps({{"info": info, "data": data}}, separators=(",", ":")), flush=True)

def node(status, message=""):
    info = {{"unique_id": "model.shop.orders", "resource_type": "model", "node_status": status}}
    result = {{"run_result": {{"message": message}}}} if message else {{}}
    tell(f"{{status}} orders", "debug", node_info=info, **result)

def cancelled(*_):
    node("success", "SUCCESS")
    sys.exit(0)

words = " ".join(sys.argv[1:])
tell("Running with dbt=2.0.9")
signal.signal(signal.SIGINT, cancelled)
node("started")
if "--vars slow" in words:
    tell("START sql table model orders")
    time.sleep(600)
if "--vars broken" in words:
    node("error", "no such column")
    sys.exit(1)
if " ls " in words:
    tell('{{"unique_id": "model.shop.orders"}}')
node("success", "SUCCESS")
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("environments")
    fake = root / "v2" / "bin" / "dbt"
    fake.parent.mkdir(parents=True)
    fake.write_text(FAKE.format(python=sys.executable))
    fake.chmod(0o755)
    started = Server(root / "data", ENVIRONMENTS=json.dumps({"v2": str(fake)}), WARM_PROJECTS="0").start()
    for name, environment in (("shop", "v2"), ("old", "default")):
        source = {"kind": "folder", "path": str(write_project(root / name))}
        body = {"source": source, "environment": environment}
        assert started.call("PUT", f"/api/v1/projects/{name}", json=body).json()["environment"] == environment
    yield started
    started.end()


def test_each_project_runs_in_its_own_environment(server: Server) -> None:
    server.submit("new", "run")
    server.submit("known", "run", "--select", "orders", project="old")
    new, known = server.ended("new"), server.ended("known")
    assert (new["state"], new["environment"], new["dbt_version"]) == ("SUCCESS", "v2", "2.0.9")
    assert (new["engine"], new["engine_reason"]) == ("cold", "No warm start for dbt-core of unknown version.")
    assert (known["state"], known["environment"], known["dbt_version"]) == ("SUCCESS", "default", "1.12.6")
    assert known["engine"] == "warm"


def test_a_submission_may_name_another_one_and_its_retry_keeps_it(server: Server) -> None:
    server.submit("named", "run", "--select", "nowhere", environment="default")
    named = server.ended("named")
    assert (named["outcome"], named["environment"], named["dbt_version"]) == ("nothing_to_do", "default", "1.12.6")
    again = server.call("POST", "/api/v1/invocations/named/retry", json={"mode": "all"}).json()
    assert (again["environment"], again["retry_of"]) == ("default", "named")
    server.ended(again["task_id"])


def test_preview_uses_it_too(server: Server) -> None:
    answer = server.call("POST", "/api/v1/preview", json={"project": "shop"}).json()
    assert (answer["ok"], answer["unique_ids"]) == (True, ["model.shop.orders"])


def test_an_unknown_environment_is_refused(server: Server, tmp_path: Path) -> None:
    source = {"kind": "folder", "path": str(server.data.parent / "shop")}
    body = {"source": source, "environment": "v3"}
    answer = server.call("PUT", "/api/v1/projects/shop", json=body)
    assert answer.status_code == 422
    assert "v3" in answer.json()["detail"]
    assert "default, v2" in answer.json()["hint"]


def test_a_model_that_v2_cancelled_is_no_success(server: Server) -> None:
    server.submit("cancelled", "run", "--vars", "slow")
    log = server.attempt("cancelled") / "events.jsonl"
    eventually(lambda: log.exists() and b"START sql" in log.read_bytes())
    server.call("POST", "/api/v1/invocations/cancelled/abort")
    ended = server.ended("cancelled")
    assert (ended["state"], ended["outcome"], ended["exit_code"]) == ("ABORTED", "aborted", 0)


def test_a_failed_model_is_read_from_nameless_events(server: Server) -> None:
    server.submit("broken", "run", "--vars", "broken")
    ended = server.ended("broken")
    assert (ended["outcome"], ended["exc_type"]) == ("model_error", "DbtModelError")
    assert ended["exc_message"] == "model.shop.orders: no such column"
