"""`python3 -m stack test`: every check and test, some side by side, with one summary at the end.

All commands wait in one queue, and whichever worker is free takes the next. Tests with real neighbours wait for them
more than they compute, so three fill two cores.
"""

import os
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from stack import debian, environments
from stack.places import ROOT, Places
from stack.problems import Problem
from stack.progress import Progress


@dataclass(frozen=True)
class Check:
    """One command of a stage, run by the interpreter of one environment."""

    stage: str
    environment: str
    arguments: tuple[str, ...]
    again: tuple[str, ...] = ()
    """Arguments with which only what failed is run once more; none where that would tell nothing new."""


def _pytest(stage: str, environment: str, *arguments: str) -> Check:
    cache = f"cache_dir=.pytest_cache/{environment}-{arguments[0].replace('/', '-')}"
    return Check(stage, environment, ("-m", "pytest", "-q", "-o", cache, *arguments), LAST_FAILED)


def _mypy(places: Places, environment: str, *rooms: str) -> Check:
    own = ("--python-executable", str(places.python(environment)), "--cache-dir", f".mypy_cache/{environment}")
    return Check("types", "test", ("-m", "mypy", *own, *rooms))


SHARED_ROOMS = (
    *("contracts", "models", "services", "pages", "app.py", "stack", "benchmarks"),
    *("deploy", "tests/browser", "tests/cluster", "tests/google", "tests/pages", "tests/stack", "tests/unit/contracts"),
    *(
        "tests/unit/deploy",
        "tests/unit/models",
        "tests/unit/services",
        "tests/unit/stack",
        "tests/unit/test_architecture.py",
    ),
)
"""What is typed in the console's environment; `dags` and `dbt_api` have environments of their own."""

LAST_FAILED = ("--last-failed", "--last-failed-no-failures", "none")

STAGES = ("format", "lint", "types", "imports", "unit", "pages", "stack", "browser", "cluster")
WORKERS = 3


def checks(places: Places) -> list[Check]:
    """Every command, in the order of the queue: first what tells most in a few seconds, then the longest.

    The cluster's tests begin with minutes of compiling Kubernetes, which goes first; an Airflow must not starve beside.
    """
    return [
        Check("format", "test", ("-m", "ruff", "format", "--check", ".")),
        Check("lint", "test", ("-m", "ruff", "check", ".")),
        Check("imports", "test", ("-c", "from importlinter.cli import lint_imports_command as run; run()")),
        _pytest("cluster", "test", "tests/cluster"),
        _pytest("unit", "dbt", "tests/unit/dbt_api"),
        _mypy(places, "test", *SHARED_ROOMS),
        _mypy(places, "airflow", "dags", "tests/unit/dags"),
        _mypy(places, "dbt", "dbt_api", "tests/unit/dbt_api"),
        _pytest("unit", "test", "tests/unit", "--ignore=tests/unit/dags", "--ignore=tests/unit/dbt_api"),
        _pytest("pages", "test", "tests/pages"),
        _pytest("stack", "test", "tests/stack"),
        _pytest("browser", "test", "tests/browser"),
        _pytest("unit", "airflow", "tests/unit/dags"),
        _pytest("unit", "test", "tests/google"),
    ]


WORST_FIRST = ("FAILED", "unsteady", "passed", "skipped")


def why_skipped(stage: str) -> str | None:
    """Why a stage cannot run here and what it takes, or None when it can run."""
    if stage != "cluster" or os.environ.get("KUBECONFIG") or not (reason := debian.why_not()):
        return None
    return f"{reason}: run it as root on Debian 12, or `KUBECONFIG=<file> python3 -m stack test cluster`"


@dataclass(frozen=True)
class Result:
    """How a command, or a stage, ended."""

    stage: str
    word: str
    """passed, unsteady (what failed passed when it ran once more), FAILED or skipped."""
    seconds: float


class Testing:
    """One call of the command: which stages, and one voice for all workers."""

    def __init__(self, places: Places, stages: list[str]) -> None:
        self._places = places
        self._checks = [check for check in checks(places) if check.stage in (stages or STAGES)]
        self._progress = Progress()
        self._speaking = threading.Lock()

    def run(self) -> int:
        """Run all commands and go on after a failure. Returns 0 when all passed, 1 otherwise."""
        environments.create(self._places, environments.TESTING, self._progress.say)
        with ThreadPoolExecutor(WORKERS) as workers:
            results = list(by_stage(list(workers.map(self._run_check, self._checks))))
        print("\nstage     result     seconds")
        for result in results:
            print(f"{result.stage:9} {result.word:9} {result.seconds:8.1f}")
        print(f"{'together':19} {self._progress.seconds:8.1f}")
        return int(any(result.word == "FAILED" for result in results))

    def _run_check(self, check: Check) -> Result:
        if reason := why_skipped(check.stage):
            self._say(f"{check.stage}: skipped, {reason}")
            return Result(check.stage, "skipped", 0)
        before = self._progress.seconds
        word = self._word_for(check)
        return Result(check.stage, word, self._progress.seconds - before)

    def _word_for(self, check: Check) -> str:
        """Tests with real neighbours on a busy machine get a second chance, and that is told."""
        if self._passes(check, check.arguments):
            return "passed"
        return "unsteady" if check.again and self._passes(check, (*check.arguments, *check.again)) else "FAILED"

    def _passes(self, check: Check, arguments: tuple[str, ...]) -> bool:
        """Run it; what it prints is shown whole at its end, so that nothing mixes."""
        words = f"{check.environment}: {' '.join(arguments)}"
        self._say(f"{check.stage}: {words}")
        ended = subprocess.run(
            [str(self._places.python(check.environment)), *arguments],
            cwd=ROOT,
            env=self._environment(check),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._say(f"{check.stage}: {'FAILED' if ended.returncode else 'passed'}: {words}", ended.stdout)
        return ended.returncode == 0

    def _say(self, *texts: str) -> None:
        with self._speaking:
            self._progress.say("\n".join(texts))

    def _environment(self, check: Check) -> dict[str, str]:
        """What the caller has, but for what would change a test's outcome, or compile our modules at every start."""
        hidden = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV", "AIRFLOW_", "PILOTHOUSE_")
        environment = {
            name: value
            for name, value in os.environ.items()
            if name.startswith("PILOTHOUSE_CLUSTER_") or not name.startswith(hidden)
        }
        environment["PILOTHOUSE_ENVIRONMENTS"] = str(self._places.environments)
        binaries = self._places.python(check.environment).parent
        environment["PATH"] = f"{binaries}{os.pathsep}{environment.get('PATH', os.defpath)}"
        return environment


def by_stage(results: list[Result]) -> Iterator[Result]:
    """One result for each stage that ran: the worst word and the seconds of all of its commands."""
    for stage in STAGES:
        if own := [result for result in results if result.stage == stage]:
            word = next(word for word in WORST_FIRST if any(result.word == word for result in own))
            yield Result(stage, word, sum(result.seconds for result in own))


def test(places: Places, stages: list[str]) -> int:
    """Run the stages (all, if none are named). Returns 0 when all passed, 1 otherwise."""
    if unknown := set(stages) - set(STAGES):
        raise Problem(f"There is no stage {', '.join(sorted(unknown))}: choose from {', '.join(STAGES)}.")
    return Testing(places, stages).run()
