"""Which stages of the test command run where."""

import sys
from pathlib import Path

import pytest

from stack import debian, environments, testing
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


def commands(*pairs: tuple[str, str]) -> list[testing.Check]:
    return [testing.Check(stage, "test", ("-c", program)) for stage, program in pairs]


@pytest.mark.parametrize(
    ("stages", "status", "words"),
    [
        ([], 1, ["unit FAILED", "pages passed", "cluster skipped"]),
        (["pages"], 0, ["pages passed"]),
    ],
)
def test_a_stage_fails_with_one_of_its_commands_and_the_others_go_on(
    stages: list[str],
    status: int,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = [("unit", "raise SystemExit('it broke')"), ("unit", ""), ("pages", "print('all well')"), ("cluster", "")]
    monkeypatch.setattr(testing, "checks", lambda _: commands(*asked))
    monkeypatch.setattr(environments, "create", lambda *_: None)
    monkeypatch.setattr(Places, "python", lambda *_: Path(sys.executable))
    assert testing.Testing(Places.from_settings(), stages).run() == status
    told = capsys.readouterr().out
    summary = told.partition("stage     result     seconds\n")[2].splitlines()
    assert [" ".join(line.split()[:2]) for line in summary[:-1]] == words
    assert "all well" in told
    assert ("it broke" in told) is (stages == [])


def test_what_failed_runs_once_more_and_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Places, "python", lambda *_: Path(sys.executable))
    running = testing.Testing(Places.from_settings(), [])

    def word(needed: int) -> str:
        count = f"import pathlib, sys; p = pathlib.Path({str(tmp_path / str(needed))!r}); p.open('a').write('x')"
        program = f"{count}; sys.exit(p.stat().st_size < {needed})"
        return running._run_check(testing.Check("pages", "test", ("-c", program), ("again",))).word

    assert [word(needed) for needed in (1, 2, 3)] == ["passed", "unsteady", "FAILED"]


def test_every_stage_has_commands_and_no_other_has() -> None:
    assert {check.stage for check in testing.checks(Places.from_settings())} == set(testing.STAGES)
