"""Fills a console's store with projects, runs, results and logs, as collector and services would leave them."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from contracts.dbt_api import FolderSource
from contracts.names import dag_id_of, invocation_task_id
from contracts.operators import OperatorName
from contracts.run_conf import RunConf
from models.project import Project, ProjectNode, ProjectStep, Step, StepState
from models.run import Invocation, NodeResult, Run, Trigger
from models.run_state import NodeStatus, RunState
from models.types import now
from services import health, logs
from services.database import session

MODELS = ["stg_ships", "stg_berths", "stg_calls", "int_stays", "fct_calls", "dim_ships", "fct_revenue", "dim_berths"]
ERROR = (
    "Runtime Error in model fct_calls (models/marts/fct_calls.sql)\n"
    '  Binder Error: Referenced column "berth_no" not found in FROM clause!\n'
    '  Candidate bindings: "berth_id", "berth_name"\n\n'
    "  LINE 14:     calls.berth_no,"
)
SQL = "select\n    calls.call_id,\n    calls.berth_no\nfrom stg_calls as calls\njoin stg_ships as ships using (ship_id)"


def project(name: str = "shop", *, owner: str = "anna", **more: Any) -> Project:
    """A project that went through all its steps, with models, tests, a seed, a source and a macro."""
    with session() as opened:
        made = Project(
            name=name,
            owner=owner,
            created_by=owner,
            source=FolderSource(path=f"/srv/{name}").model_dump(),
            targets=["dev", "prod"],
            target="dev",
            dbt_project_name=name,
            **more,
        )
        opened.add(made)
        opened.flush()
        assert made.id is not None
        opened.add_all(ProjectStep(project_id=made.id, step=step, state=StepState.DONE) for step in Step)
        opened.add_all(_nodes(made.id, name))
    return made


def _nodes(project_id: int, package: str) -> Iterator[ProjectNode]:
    def node(kind: str, name: str, unique_id: str | None = None, **more: Any) -> ProjectNode:
        unique = unique_id or f"{kind}.{package}.{name}"
        return ProjectNode(
            project_id=project_id, unique_id=unique, name=name, resource_type=kind, package=package, **more
        )

    for model in MODELS:
        yield node("model", model, tags=["nightly"] if model.startswith("fct") else [])
        yield node("test", f"not_null_{model}_id")
    yield node("seed", "ships")
    yield node("snapshot", "ships_history")
    yield node("source", "calls", f"source.{package}.port.calls")
    yield node("macro", "grant_select", f"macro.{package}.grant_select")


def run(
    project: str = "shop",
    *,
    state: RunState = RunState.SUCCEEDED,
    minutes_ago: float = 30,
    by: str | None = "anna",
    trigger: Trigger = Trigger.MANUAL,
    operator: OperatorName = OperatorName.DBT_API,
    conf: RunConf | None = None,
    seconds: float = 94,
    nodes_total: int = 12,
    message: str | None = None,
) -> Run:
    """One run with its counts; `filled` adds invocation, results and log."""
    conf = conf or RunConf(requested_by=by)
    created = now() - timedelta(minutes=minutes_ago)
    started = None if state in (RunState.QUEUED, RunState.STARTING) else created + timedelta(seconds=3)
    with session() as opened:
        made = Run(
            project=project,
            dag_id=dag_id_of(project),
            dag_run_id=f"console__{project}-{created.timestamp()}",
            state=state,
            operator=operator,
            command=" ".join(conf.dbt_arguments()),
            conf=conf.model_dump(mode="json"),
            target="dev",
            trigger=trigger,
            launched_by=by,
            git_sha="4f2a91c07be1d6a9e5c3",
            message=message,
            created_at=created,
            handed_over_at=created + timedelta(seconds=1),
            started_at=started,
            finished_at=started + timedelta(seconds=seconds) if started and state.is_terminal else None,
            collected=state.is_terminal,
            collected_at=now(),
            nodes_total=None if started is None else nodes_total,
            nodes_ok=nodes_total if state is RunState.SUCCEEDED else 0,
        )
        opened.add(made)
    return made


def id_of(made: Run) -> int:
    """The id of a stored run."""
    assert made.id is not None
    return made.id


def filled(made: Run, *, statuses: dict[str, NodeStatus] | None = None, lines: int = 0) -> Invocation:
    """The run's invocation with a result for each status given, and a log with an error among its lines."""
    assert made.id is not None
    task_id = invocation_task_id(made.dag_id, made.dag_run_id, "dbt", 1)
    with session() as opened:
        invocation = Invocation(
            run_id=made.id,
            try_number=1,
            task_id=task_id,
            state=made.state,
            outcome="model_error" if made.state is RunState.FAILED else "success",
            exit_code=(1 if made.state is RunState.FAILED else 0) if made.state.is_terminal else None,
            dbt_version="1.12.6",
            started_at=made.started_at,
            finished_at=made.finished_at,
            log_complete=made.state.is_terminal,
            task_log_complete=made.state.is_terminal,
            artifacts=[{"name": "run_results.json", "bytes": 2}, {"name": "manifest.json", "bytes": 81_244}],
        )
        opened.add(invocation)
        opened.flush()
        assert invocation.id is not None
        results = [
            _result(invocation.id, name, status, made.started_at or made.created_at, place)
            for place, (name, status) in enumerate((statuses or {}).items())
        ]
        opened.add_all(results)
        row = opened.get_one(Run, made.id)
        row.nodes_ok = sum(status in (NodeStatus.SUCCESS, NodeStatus.PASS) for status in (statuses or {}).values())
        row.nodes_error = sum(status.is_bad for status in (statuses or {}).values())
        row.nodes_skipped = sum(status is NodeStatus.SKIPPED for status in (statuses or {}).values())
    logs.append(logs.path_of(invocation), 0, "".join(log_lines(lines, made.started_at or now())).encode())
    logs.append(logs.path_of(invocation, "airflow"), 0, b"[2026-11-23T10:00:00Z] INFO - Submitted the invocation\n")
    (logs.artifacts_of(invocation)).mkdir(parents=True, exist_ok=True)
    (logs.artifacts_of(invocation) / "run_results.json").write_text("{}")
    return invocation


def _result(invocation_id: int, name: str, status: NodeStatus, start: datetime, place: int) -> NodeResult:
    kind = "test" if name.startswith(("not_null", "unique")) else "model"
    began = start + timedelta(seconds=place)
    ended = None if status is NodeStatus.STARTED else began + timedelta(seconds=0.4 + place * 0.7)
    return NodeResult(
        invocation_id=invocation_id,
        unique_id=f"{kind}.shop.{name}",
        name=name,
        resource_type=kind,
        status=status,
        started_at=began,
        finished_at=ended,
        seconds=None if ended is None or status is NodeStatus.SKIPPED else 0.4 + place * 0.7,
        rows=1204 * (place + 1) if kind == "model" and status is NodeStatus.SUCCESS else None,
        message=ERROR if status.is_bad else "OK" if status is NodeStatus.SUCCESS else None,
        thread=f"Thread-{place % 4 + 1}",
        relation=f'"shop"."main"."{name}"',
        path=f"models/marts/{name}.sql",
        compiled_sql=SQL if status.is_bad else None,
        compiled_line=3 if status.is_bad else None,
        file=f"models/marts/{name}.sql" if status.is_bad else None,
        file_line=5 if status.is_bad else None,
        log_line=250 if status.is_bad else None,
        skipped_because="model.shop.fct_calls" if status is NodeStatus.SKIPPED else None,
    )


def manifest(invocation: Invocation, code: dict[str, str], **depends_on: list[str]) -> None:
    """The manifest.json that the invocation left, its models as dbt describes them."""
    nodes = {
        f"model.shop.{name}": {
            "name": name,
            "resource_type": "model",
            "original_file_path": f"models/{name}.sql",
            "raw_code": text,
            "depends_on": {"nodes": [f"model.shop.{each}" for each in depends_on.get(name, [])], "macros": []},
        }
        for name, text in code.items()
    }
    content = {"metadata": {"adapter_type": "duckdb"}, "nodes": nodes, "macros": {}}
    (logs.artifacts_of(invocation) / "manifest.json").write_text(json.dumps(content))


def log_lines(count: int, start: datetime, *, first: int = 1) -> Iterator[str]:
    """Lines as dbt writes them: mostly debug, some info, a warning and an error now and then."""
    for number in range(first, first + count):
        model = MODELS[number % len(MODELS)]
        level, text = (
            "debug",
            f"On model.shop.{model}: /* pilothouse */ select * from <b>{model}</b> where id > {number}",
        )
        if number % 4 == 0:
            level, text = (
                "info",
                f"{number} of {count} OK created sql table model main.{model} ..... [OK in 0.{number % 90:02}s]",
            )
        if number % 97 == 0:
            level, text = "warn", f"[WARNING]: Deprecated functionality in {model}"
        if number % 250 == 0:
            level, text = "error", ERROR
        moment = (start + timedelta(milliseconds=40 * number)).isoformat()
        info = {"name": "Note", "level": level, "msg": text, "ts": moment, "thread": "Thread-1", "invocation_id": "i"}
        yield json.dumps({"info": info, "data": {}}) + "\n"


HALF_FAILED = {
    "stg_ships": NodeStatus.SUCCESS,
    "stg_berths": NodeStatus.SUCCESS,
    "not_null_stg_ships_id": NodeStatus.PASS,
    "stg_calls": NodeStatus.SUCCESS,
    "int_stays": NodeStatus.WARN,
    "fct_calls": NodeStatus.ERROR,
    "not_null_stg_calls_id": NodeStatus.FAIL,
    "fct_revenue": NodeStatus.SKIPPED,
    "dim_berths": NodeStatus.SKIPPED,
}


def healthy() -> None:
    """All systems answered just now."""
    for system in health.SYSTEMS:
        health.report(system, reachable=True, version="1.0")
