"""Which stages of the test command run where."""

import subprocess
from pathlib import Path

import pytest

from stack import debian, testing
from stack.places import Places


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "why_not", lambda: "this takes root")
    monkeypatch.delenv("KUBECONFIG", raising=False)


def test_the_cluster_tests_are_skipped_where_they_cannot_run_and_say_how_they_can() -> None:
    reason = testing.why_skipped("cluster")
    assert reason
    assert reason.startswith("this takes root: ")
    assert "KUBECONFIG=<file> python3 -m stack test cluster" in reason
    assert testing.why_skipped("unit") is None


def test_they_run_as_root_on_debian_or_on_a_given_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/somewhere/kubeconfig")
    assert testing.why_skipped("cluster") is None
    monkeypatch.delenv("KUBECONFIG")
    monkeypatch.setattr(debian, "why_not", lambda: None)
    assert testing.why_skipped("cluster") is None


@pytest.mark.parametrize(
    ("endings", "word"),
    [((0,), "passed"), ((1, 0), "unsteady"), ((1, 1), "FAILED")],
)
def test_what_failed_runs_once_more_and_that_is_told(
    endings: tuple[int, ...], word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, endings[len(calls) - 1], "")

    monkeypatch.setattr(subprocess, "run", run)
    running = testing.Testing(Places.from_settings({"PILOTHOUSE_DATA": str(tmp_path)}), ["pages"])
    assert running._run_stage("pages").word == word
    assert ["--last-failed" in call for call in calls] == [False, True][: len(endings)]
