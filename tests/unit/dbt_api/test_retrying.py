"""Which nodes a retry takes, from a log as dbt writes it when it is interrupted amid failures."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.dbt_api import InvocationState, Outcome, RetryMode, RetryRequest
from dbt_api.errors import ApiError
from dbt_api.records.counts import progress_of
from dbt_api.records.record import record_of
from dbt_api.retrying import retry_of
from dbt_api.running.attempt import Attempt
from dbt_api.settings import settings
from dbt_api.tables import InvocationRow

NODES = {"ok": "success", "bad": "error", "below_bad": "skipped", "cancelled": "error", "below_cancelled": "skipped"}


@pytest.fixture
def interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InvocationRow]:
    """Of six nodes one succeeded, one failed, one was cancelled, one never finished; two were skipped."""
    monkeypatch.setenv("PILOTHOUSE_DBT_API_DATA", str(tmp_path))
    settings.cache_clear()
    attempt = Attempt("broken-off", 1)
    attempt.target.mkdir(parents=True)
    lines = [line("ConcurrencyLine", node_count=6), *(node("NodeStart", name, "started") for name in [*NODES, "cut"])]
    lines.append(line("LogCancelLine", conn_name="model.shop.cancelled"))
    lines += [node("NodeFinished", name, status) for name, status in NODES.items()]
    attempt.log.write_text("".join([*lines, *lines]) + '{"half a line"')
    children = {"model.shop.bad": ["model.shop.below_bad"], "model.shop.cancelled": ["model.shop.below_cancelled"]}
    (attempt.target / "manifest.json").write_text(json.dumps({"child_map": children}))
    yield InvocationRow(
        task_id="broken-off",
        project="shop",
        command=["--fail-fast", "run", "-s", "a", "b", "--exclude=c", "d", "--vars", "{x: 1}", "--selector", "nightly"],
        body_hash="",
        concurrency_key="shop/dev",
        priority=7,
        source={},
        state=InvocationState.ABORTED,
        outcome=Outcome.ABORTED,
        attempt=1,
    )
    settings.cache_clear()


def line(event: str, **data: object) -> str:
    return json.dumps({"info": {"name": event, "msg": "", "level": "debug"}, "data": data}) + "\n"


def node(event: str, name: str, status: str) -> str:
    info = {"unique_id": f"model.shop.{name}", "resource_type": "model", "node_path": f"{name}.sql"}
    return line(event, node_info={**info, "node_status": status})


def test_each_mode_takes_its_nodes(interrupted: InvocationRow) -> None:
    expected = {
        RetryMode.FAILED: ["bad", "below_bad", "below_cancelled", "cancelled", "cut"],
        RetryMode.INTERRUPTED: ["below_cancelled", "cancelled", "cut"],
    }
    rest = ["--fail-fast", "run", "--vars", "{x: 1}", "--indirect-selection", "empty", "--select"]
    for mode, names in expected.items():
        again = retry_of(interrupted, RetryRequest(mode=mode))
        selectors = [f"{name},resource_type:model,package:shop,file:{name}.sql" for name in names]
        assert again.command == [*rest, *selectors]
        assert again.priority == 7
    assert retry_of(interrupted, RetryRequest(mode=RetryMode.ALL)).command == interrupted.command


def test_lines_that_come_twice_and_half_lines_count_once_and_not(interrupted: InvocationRow) -> None:
    counts = progress_of(record_of(interrupted)).counts()
    assert counts is not None
    assert counts.model_dump(by_alias=True, exclude_defaults=True) == {
        "pass": 1,
        "error": 2,
        "skip": 2,
        "running": 1,
        "total": 6,
    }


def test_a_failure_is_no_interruption(interrupted: InvocationRow) -> None:
    failed = interrupted.model_copy(update={"state": InvocationState.FAILURE, "outcome": Outcome.MODEL_ERROR})
    with pytest.raises(ApiError, match="not broken off") as refused:
        retry_of(failed, RetryRequest(mode=RetryMode.INTERRUPTED))
    assert refused.value.status == 409
