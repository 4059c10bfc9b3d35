"""A retry from failure runs exactly the unfinished nodes: asked of dbt itself, on a project full of traps."""

import os
import subprocess
from pathlib import Path

import pytest

from contracts.log_event import parse_log_line
from contracts.operators import OperatorName
from contracts.run_conf import DbtCommand, RunConf
from contracts.selectors import selector_of
from models.run import NodeResult, Run
from models.run_state import NodeStatus
from services.dbt_api import DbtApi
from services.results import Fold, close, fold
from services.runs.retries import conf_of_retry
from services.settings import ROOT

ENVIRONMENTS = Path(os.environ.get("PILOTHOUSE_ENVIRONMENTS", ROOT / ".pilothouse" / "environments"))
NOBODY = DbtApi("http://127.0.0.1:9", "unused")

FILES = {
    "dbt_project.yml": "name: trap\nversion: '1.0'\nprofile: trap\nflags: {send_anonymous_usage_stats: false}\n",
    "profiles.yml": "trap: {target: dev, outputs: {dev: {type: duckdb, path: trap.duckdb, threads: 2}}}\n",
    # Names that mean more than one node: a model named like the package, and one like a folder.
    "models/trap.sql": "select 1 as id",
    "models/fees/fees.sql": "select id, {{ 'nothing_here' if var('broken') else '1' }} as fee from {{ ref('trap') }}",
    "models/fees/other.sql": "select 2 as id",
    "models/after.sql": "select * from {{ ref('fees') }}",
    "models/checked_v1.sql": "select 1 as id",
    "models/checked_v2.sql": "select 2 as id",
    "models/behind.sql": "select * from {{ ref('checked', v=2) }}",
    "models/models.yml": """
models:
  - name: fees
    columns: [{name: id, data_tests: [not_null, unique: {config: {tags: [left_out]}}]}]
  - name: trap
    columns: [{name: id, data_tests: [not_null]}]
  - name: checked
    latest_version: 2
    columns: [{name: id, data_tests: [accepted_values: {arguments: {values: [1], quote: false}}]}]
    versions: [{v: 1}, {v: 2}]
unit_tests:
  - name: a_fee_is_one
    model: fees
    overrides: {vars: {broken: false}}
    given: [{input: ref('trap'), rows: [{id: 5}]}]
    expect: {rows: [{id: 5, fee: 1}]}
""",
    "tests/no_other_is_zero.sql": "select * from {{ ref('other') }} where id = 0",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def dbt(project: Path, conf: RunConf) -> Fold:
    """What really happens when dbt runs this conf."""
    words = ["--log-format", "json", "--log-level", "debug", "--log-level-file", "none", "--no-use-colors"]
    output = subprocess.run(
        [ENVIRONMENTS / "dbt" / "bin" / "dbt", *words, *conf.dbt_arguments()],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout
    result = fold(parse_log_line(line) for line in output.splitlines())
    close(result)
    return result


def run_of(conf: RunConf, result: Fold) -> Run:
    return Run(
        id=1,
        project="trap",
        dag_id="d",
        dag_run_id="r",
        operator=OperatorName.DBT_API,
        command="",
        conf=conf.model_dump(mode="json"),
        nodes_total=result.node_total,
    )


def test_exactly_the_unfinished_nodes_run_again(project: Path) -> None:
    first = RunConf(exclude=["tag:left_out"], vars={"broken": True})
    before = dbt(project, first)
    left = {name for name, node in before.nodes.items() if node.status.is_unfinished_business}
    assert {"model.trap.fees", "model.trap.after", "model.trap.behind", "test.trap.not_null_fees_id"} <= {
        ".".join(name.split(".")[:3]) for name in left
    }
    assert before.nodes["unit_test.trap.fees.a_fee_is_one"].status is NodeStatus.PASS
    again = conf_of_retry(run_of(first, before), list(before.nodes.values()), by="bo", dbt_api=NOBODY)
    after = dbt(project, again.model_copy(update={"vars": {"broken": False}}))
    assert set(after.nodes) == left
    assert after.nodes["model.trap.fees"].status is NodeStatus.SUCCESS


@pytest.mark.parametrize(
    ("unique_id", "path", "selector"),
    [
        ("model.shop.orders", "marts/orders.sql", "orders,resource_type:model,package:shop,file:orders.sql"),
        ("model.shop.orders.v2", None, "orders.v2,resource_type:model,package:shop"),
        ("test.shop.not_null_id.9b6df8c342", None, "not_null_id,resource_type:test,package:shop"),
        ("snapshot.shop.orders_history", "x.sql", "orders_history,resource_type:snapshot,package:shop"),
        ("source.shop.raw.orders", None, "source:shop.raw.orders"),
        ("unit_test.shop.orders.adds_up", None, "unit_test:shop.adds_up"),
    ],
)
def test_a_node_is_named_so_that_nothing_else_is_meant(unique_id: str, path: str | None, selector: str) -> None:
    assert selector_of(unique_id, path=path) == selector
    assert RunConf(select=[selector])


def test_a_run_that_got_nowhere_runs_whole_again() -> None:
    conf = RunConf(select=["stg_ships+"])
    assert conf_of_retry(run_of(conf, Fold()), [], by="bo", dbt_api=NOBODY).select == ["stg_ships+"]


def test_a_command_without_results_of_its_own_runs_whole_again() -> None:
    conf = RunConf(command=DbtCommand.COMPILE)
    failed = NodeResult(
        invocation_id=1, unique_id="model.shop.a", name="a", resource_type="model", status=NodeStatus.ERROR
    )
    assert conf_of_retry(run_of(conf, Fold(node_total=1)), [failed], by="bo", dbt_api=NOBODY).select == []
