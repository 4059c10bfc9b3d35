"""The example project does what its overview promises, run by the dbt of the dbt environment."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from contracts.run_conf import DbtCommand, RunConf

ROOT = Path(__file__).resolve().parents[3]
DBT = Path(sys.executable).with_name("dbt")
EXAMPLE = ROOT / "example"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which the example was built once: its warehouse, target and log folders."""
    workspace = tmp_path_factory.mktemp("example")
    assert _run(workspace, RunConf()).returncode == 0
    return workspace


def _start(workspace: Path, conf: RunConf) -> "subprocess.Popen[str]":
    environment = {
        **os.environ,
        "PILOTHOUSE_PROJECT_DATA": str(workspace),
        "DBT_TARGET_PATH": str(workspace / "target"),
        "DBT_LOG_PATH": str(workspace / "logs"),
        "DBT_PROJECT_DIR": str(EXAMPLE),
        "DBT_PROFILES_DIR": str(EXAMPLE),
        "DBT_USE_COLORS": "false",
    }
    return subprocess.Popen(
        [DBT, "--show-all-deprecations", *conf.dbt_arguments()],
        cwd=workspace,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def _run(workspace: Path, conf: RunConf) -> "subprocess.CompletedProcess[str]":
    process = _start(workspace, conf)
    output, _ = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, output)


def _statuses(workspace: Path) -> dict[str, str]:
    results = json.loads((workspace / "target" / "run_results.json").read_text())["results"]
    return {result["unique_id"].split(".")[2]: result["status"] for result in results}


@pytest.mark.parametrize(
    "conf",
    [
        RunConf(target="prod", full_refresh=True),
        *(RunConf(command=command) for command in DbtCommand if command.takes_selection),
        RunConf(command=DbtCommand.DEBUG),
        RunConf(command=DbtCommand.RUN_OPERATION, macro="count_rows", macro_arguments={"model": "berth_use"}),
    ],
    ids=lambda conf: " ".join(conf.dbt_arguments()[:2]),
)
def test_every_command_succeeds_again_and_warns_of_nothing(built: Path, conf: RunConf) -> None:
    done = _run(built, conf)
    assert done.returncode == 0, done.stdout
    assert not re.search(r"deprecat|WARN=[1-9]|\[WARNING\]", done.stdout, re.IGNORECASE), done.stdout


def test_running_wrote_nothing_into_the_project(built: Path) -> None:
    tracked = {path.name for path in EXAMPLE.iterdir()}
    assert tracked == {"dbt_project.yml", "profiles.yml", "macros", "models", "seeds", "snapshots", "tests"}


def test_nightly_tag_selects_the_marts(built: Path) -> None:
    listed = _run(built, RunConf(command=DbtCommand.LIST, select=["tag:nightly"]))
    marts = {"berth_use", "call_fees", "monthly_income", "tide_hours"}
    assert {f"harbour.marts.{name}" for name in marts} <= set(listed.stdout.splitlines())
    assert "harbour.customs" not in listed.stdout


def test_one_test_fails_with_three_rows_on_purpose(built: Path) -> None:
    done = _run(built, RunConf(command=DbtCommand.TEST, vars={"fail_on_purpose": True}))
    assert done.returncode == 1
    assert "Got 3 results" in done.stdout
    assert [name for name, status in _statuses(built).items() if status == "fail"] == ["no_call_stays_too_long"]


def test_a_model_fails_on_purpose_and_what_needs_it_is_skipped(built: Path) -> None:
    done = _run(built, RunConf(vars={"break_on_purpose": True}))
    assert done.returncode == 1
    assert "customs_stamp" in done.stdout
    statuses = _statuses(built)
    assert statuses["customs_declarations"] == "error"
    assert {name for name, status in statuses.items() if status == "skipped"} == {"goods_landed", "busiest_goods"}


def test_the_slow_model_can_be_interrupted(built: Path, tmp_path: Path) -> None:
    workspace = Path(shutil.copytree(built, tmp_path / "copy"))
    (workspace / "target" / "run_results.json").unlink()
    slow = _start(workspace, RunConf(select=["depth_soundings+"], vars={"slow_seconds": 600}))
    assert slow.stdout is not None
    for line in slow.stdout:
        if "START sql table model main.depth_soundings" in line:
            break
    time.sleep(1)  # until the query itself runs
    slow.send_signal(signal.SIGINT)
    output, _ = slow.communicate(timeout=60)
    assert slow.returncode == 2, output
    assert "shallow_berths" not in _statuses(workspace)
