"""The collector as a process of its own, with real neighbours: what it stores is what happened, once."""

import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contracts.dbt_api import FolderSource, InvocationSource, SubmitInvocation
from contracts.names import DBT_TASK_ID, dag_id_of, invocation_task_id
from contracts.run_conf import RunConf
from models.run import Run
from models.run_state import NodeStatus, RunState
from models.types import now
from services import health, logs, results
from services.database import engine, migrate, session
from services.dbt_api import DbtApi
from services.runs import history
from services.settings import settings
from stack.places import ROOT
from tests.stack.consoles import Collector, until
from tests.stack.harness import Stack

PROJECT = "harbour_log"


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    made = Collector(tmp_path / "collector.log")
    yield made
    if made.runs:
        made.end(signal.SIGKILL)


def _use(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"PILOTHOUSE_{name}", value)
    settings.cache_clear()
    engine.cache_clear()
    migrate()


@pytest.fixture
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Settings of this test's own data folder."""
    yield lambda **values: _use(monkeypatch, DATA=str(tmp_path / "data"), **values)
    engine().dispose()
    settings.cache_clear()
    engine.cache_clear()


@pytest.fixture
def dbt_api(dbt_api_stack: Stack, own_store: Callable[..., None]) -> DbtApi:
    """The session's dbt API, for a console whose Airflow is away."""
    own_store(
        AIRFLOW_URL="http://127.0.0.1:9",
        AIRFLOW_PASSWORD="unused",
        DBT_API_URL=dbt_api_stack.dbt_api_url,
        DBT_API_TOKEN=dbt_api_stack.dbt_api_token,
    )
    api = DbtApi(dbt_api_stack.dbt_api_url, dbt_api_stack.dbt_api_token)
    api.register_project(PROJECT, FolderSource(path=str(ROOT / "example")))
    return api


def started_run(api: DbtApi, key: str, **conf: object) -> Run:
    """A run that Airflow is taken to have, and the invocation that its operator would submit."""
    asked = RunConf.model_validate(conf)
    run = Run(
        project=PROJECT,
        dag_id=dag_id_of(PROJECT),
        dag_run_id=key,
        operator=asked.operator,
        command=" ".join(asked.dbt_arguments()),
        conf=asked.model_dump(mode="json"),
        handed_over_at=now(),
    )
    with session() as opened:
        opened.add(run)
    task_id = invocation_task_id(run.dag_id, key, DBT_TASK_ID, 1)
    source = InvocationSource(kind="airflow", dag_id=run.dag_id, dag_run_id=key, task_id=DBT_TASK_ID, try_number=1)
    api.submit(SubmitInvocation(task_id=task_id, project=PROJECT, command=asked.dbt_arguments(), source=source))
    return run


def whole_log(api: DbtApi, task_id: str) -> bytes:
    data = b""
    while not (chunk := api.log_chunk(task_id, offset=len(data))).complete or chunk.data:
        data += chunk.data
    return data


def is_closed(run: Run) -> bool:
    invocations = history.invocations_of(run.id or 0)
    return bool(invocations) and invocations[-1].log_complete


def test_with_airflow_away_dbt_is_followed_to_the_end(dbt_api: DbtApi, collector: Collector) -> None:
    collector.start()
    run = started_run(dbt_api, "away", command="build", vars={"break_on_purpose": True})
    until(lambda: is_closed(run))
    [invocation] = history.invocations_of(run.id or 0)
    nodes = results.node_results(invocation.id or 0)
    bad = [node for node in nodes if node.status.is_bad]
    assert invocation.state is RunState.FAILED
    assert [node.name for node in bad] == ["customs_declarations"]
    assert bad[0].compiled_sql
    assert all(node.skipped_because == bad[0].unique_id for node in nodes if node.status is NodeStatus.SKIPPED)
    assert logs.path_of(invocation).read_bytes() == whole_log(dbt_api, invocation.task_id)
    assert {"run_results.json", "manifest.json"} <= {artifact["name"] for artifact in invocation.artifacts}
    fresh = history.get_run(run.id or 0)
    assert fresh.nodes_total == fresh.nodes_ok + fresh.nodes_warn + fresh.nodes_error + fresh.nodes_skipped
    known = {row.system: row.reachable for row in health.systems()}
    assert known == {"airflow": False, "dbt-api": True, "collector": True}


def test_killed_in_mid_run_it_goes_on_without_losing_or_doubling_anything(
    dbt_api: DbtApi, collector: Collector
) -> None:
    collector.start()
    run = started_run(dbt_api, "killed", command="build", vars={"slow_seconds": 4})
    for seen in (1, 3, 6):
        until(lambda wanted=seen: history.get_run(run.id or 0).nodes_ok >= wanted)  # type: ignore[misc]
        collector.end(signal.SIGKILL)
        [invocation] = history.invocations_of(run.id or 0)
        with logs.path_of(invocation).open("ab") as file:
            file.write(b'{"info": {"name": "torn", "msg": "written, not commit')
        collector.start()
    until(lambda: is_closed(run))
    [invocation] = history.invocations_of(run.id or 0)
    assert invocation.state is RunState.SUCCEEDED
    assert logs.path_of(invocation).read_bytes() == whole_log(dbt_api, invocation.task_id)
    names = [node.unique_id for node in results.node_results(invocation.id or 0)]
    assert len(names) == len(set(names)) == history.get_run(run.id or 0).nodes_total


def test_two_collectors_never_write_to_one_folder(dbt_api: DbtApi, collector: Collector, tmp_path: Path) -> None:
    collector.start()
    until(lambda: health.collected_until() is not None)
    second = Collector(tmp_path / "second.log")
    second.start()
    assert second.process
    assert second.process.wait(timeout=60) == 1
    assert "Another collector" in second.output.read_text()
    collector.stop()
    assert not next(row for row in health.systems() if row.system == health.COLLECTOR).reachable


def test_a_system_that_never_answers_does_not_hold_its_end(
    own_store: Callable[..., None], collector: Collector
) -> None:
    """Its loop then still waits in a call when the process ends; that must be a good end all the same."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        own_store(AIRFLOW_URL=url, AIRFLOW_PASSWORD="unused", DBT_API_URL=url, DBT_API_TOKEN="unused")
        collector.start()
        until(lambda: health.collected_until() is not None)
        silent.accept()
        collector.stop()
    assert not next(row for row in health.systems() if row.system == health.COLLECTOR).reachable
