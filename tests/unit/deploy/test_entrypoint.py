"""The dbt image's process 1, with small programs in dbt's place: how it passes signals on, and what it prints."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from contracts.log_artifacts import Artifact, ArtifactReader
from contracts.log_event import LogEvent, parse_log_line
from stack.places import ROOT

ENTRYPOINT = ROOT / "deploy" / "images" / "dbt" / "entrypoint.py"
WRITES_RESULTS = """
import os, pathlib, random
target = pathlib.Path(os.environ["DBT_TARGET_PATH"])
target.mkdir(exist_ok=True)
(target / "run_results.json").write_text('{"results": []}')
(target / "manifest.json").write_bytes(random.Random(0).randbytes(100_000))
"""
WAITS = """
import pathlib, signal, sys, time
try:
    print("waiting", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(0.5)  # a second interrupt would end it here
    exec(sys.argv[1])
    sys.exit(2)
"""


def start(
    folder: Path, *command: str, settings: Mapping[str, str] = {}, ignored: bool = False
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(ENTRYPOINT), *command],
        cwd=folder,
        env={**os.environ, "DBT_TARGET_PATH": str(folder / "target"), **settings},
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) if ignored else None,
    )


def run(folder: Path, *command: str, settings: Mapping[str, str] = {}) -> tuple[int, list[LogEvent]]:
    process = start(folder, *command, settings=settings)
    output, _ = process.communicate(timeout=60)
    return process.returncode, [parse_log_line(line) for line in output.splitlines()]


def python(program: str, *words: str) -> tuple[str, ...]:
    return sys.executable, "-c", program, *words


def artifacts(events: list[LogEvent]) -> dict[str, Artifact]:
    reader = ArtifactReader()
    return {artifact.name: artifact for event in events if (artifact := reader.add(event))}


def test_artifacts_are_printed_when_dbt_has_ended(tmp_path: Path) -> None:
    status, events = run(tmp_path, *python(WRITES_RESULTS + "\nprint('dbt talks')\nraise SystemExit(1)"))
    assert status == 1
    assert events[0].message == "dbt talks"
    found = artifacts(events)
    assert json.loads(found["run_results.json"].content) == {"results": []}
    assert found["manifest.json"].content == (tmp_path / "target" / "manifest.json").read_bytes()
    assert {event.name for event in events[1:]} == {"PilothouseArtifact"}
    assert all(event.timestamp and event.level == "debug" for event in events[1:])


def test_lines_are_short_enough_not_to_be_split_by_a_container_runtime(tmp_path: Path) -> None:
    process = start(tmp_path, *python(WRITES_RESULTS))
    output, _ = process.communicate(timeout=60)
    assert max(map(len, output.splitlines())) < 16 * 1024


def test_what_an_earlier_dbt_has_left_is_not_printed(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "run_results.json").write_text("old")
    assert run(tmp_path, *python("")) == (0, [])


@pytest.mark.parametrize("words", [["--target-path", "elsewhere"], ["--target-path=elsewhere"]], ids=len)
def test_the_target_path_option_counts(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "elsewhere").mkdir()
    _, events = run(tmp_path, *python("open('elsewhere/run_results.json', 'w').write('{}')"), *words)
    assert list(artifacts(events)) == ["run_results.json"]


def test_an_artifact_too_large_for_the_log_is_named_and_left_out(tmp_path: Path) -> None:
    status, events = run(tmp_path, *python(WRITES_RESULTS), settings={"PILOTHOUSE_ARTIFACT_LIMIT_BYTES": "5000"})
    assert status == 0
    assert list(artifacts(events)) == ["run_results.json"]
    [left_out] = [event for event in events if event.name == "PilothouseArtifactLeftOut"]
    assert (left_out.level, left_out.data["artifact"]) == ("warn", "manifest.json")


@pytest.mark.parametrize("ignored", [False, True], ids=["plainly", "started with SIGINT ignored"])
@pytest.mark.parametrize("request_", [signal.SIGTERM, signal.SIGINT])
def test_a_request_to_stop_interrupts_dbt_once_and_results_still_come(
    tmp_path: Path, request_: signal.Signals, ignored: bool
) -> None:
    process = start(tmp_path, *python(WAITS, WRITES_RESULTS), ignored=ignored)
    assert process.stdout
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(request_)
    process.send_signal(request_)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "run_results.json" in artifacts([parse_log_line(line) for line in output.splitlines()])


HANGS = (
    WRITES_RESULTS
    + """
try:
    time.sleep(60)  # a query that went out after dbt had cancelled those that ran
except KeyboardInterrupt:
    sys.exit(3)
"""
)
IMPATIENT = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("entrypoint", sys.argv[1])
entrypoint = importlib.util.module_from_spec(spec)
spec.loader.exec_module(entrypoint)
entrypoint.AGAIN_SECONDS = 1
sys.exit(entrypoint.main(sys.argv[2:]))
"""


def test_a_dbt_that_has_its_results_and_does_not_end_is_interrupted_again(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", IMPATIENT, str(ENTRYPOINT), *python(WAITS, HANGS)],
        env={**os.environ, "DBT_TARGET_PATH": str(tmp_path / "target")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=50)
    assert process.returncode == 3
    assert "run_results.json" in artifacts([parse_log_line(line) for line in output.splitlines()])


def test_a_killed_dbt_leaves_no_half_line_before_our_own(tmp_path: Path) -> None:
    program = WRITES_RESULTS + "\nprint('{\"info\": {', end='', flush=True)\nos.kill(os.getpid(), 9)"
    status, events = run(tmp_path, *python(program))
    assert status == 128 + signal.SIGKILL
    assert events[0].message == '{"info": {'
    assert set(artifacts(events)) == {"run_results.json", "manifest.json"}


def test_a_missing_command_says_so(tmp_path: Path) -> None:
    status, events = run(tmp_path, "no-such-dbt")
    assert status == 127
    assert [(event.name, event.level) for event in events] == [("PilothouseStartFailed", "error")]


def test_a_wrong_limit_changes_nothing_about_the_status(tmp_path: Path) -> None:
    status, events = run(tmp_path, *python(WRITES_RESULTS), settings={"PILOTHOUSE_ARTIFACT_LIMIT_BYTES": "much"})
    assert (status, [event.name for event in events]) == (0, ["PilothouseArtifactsFailed"])
