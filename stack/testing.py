"""`python3 -m stack test`: every check and test, in two lanes side by side, with one summary at the end.

Tests of the whole stack mostly wait for each other's processes, all others compute: side by side they fill two cores.
"""

import os
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from stack import debian, environments
from stack.places import ROOT, Places
from stack.problems import Problem
from stack.progress import Progress


@dataclass(frozen=True)
class Check:
    """One command, run by the interpreter of one environment."""

    environment: str
    arguments: tuple[str, ...]
    again: tuple[str, ...] = ()
    """Arguments with which only what failed is run once more; none where that would tell nothing new."""


def _pytest(environment: str, *arguments: str) -> Check:
    cache = f"cache_dir=.pytest_cache/{environment}-{arguments[0].replace('/', '-')}"
    return Check(environment, ("-m", "pytest", "-q", "-o", cache, *arguments), LAST_FAILED)


def _mypy(places: Places, environment: str, *rooms: str) -> Check:
    return Check("test", ("-m", "mypy", "--python-executable", str(places.python(environment)), *rooms))


LAST_FAILED = ("--last-failed", "--last-failed-no-failures", "none")

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

LANES = (("format", "lint", "types", "imports", "unit", "pages"), ("stack", "browser", "cluster"))
STAGES = tuple(stage for lane in LANES for stage in lane)


def checks(places: Places) -> dict[str, list[Check]]:
    """The commands of every stage."""
    return {
        "format": [Check("test", ("-m", "ruff", "format", "--check", "."))],
        "lint": [Check("test", ("-m", "ruff", "check", "."))],
        "types": [
            _mypy(places, "test", *SHARED_ROOMS),
            _mypy(places, "airflow", "dags", "tests/unit/dags"),
            _mypy(places, "dbt", "dbt_api", "tests/unit/dbt_api"),
        ],
        "imports": [Check("test", ("-c", "from importlinter.cli import lint_imports_command as run; run()"))],
        "unit": [
            _pytest("test", "tests/unit", "--ignore=tests/unit/dags", "--ignore=tests/unit/dbt_api"),
            _pytest("test", "tests/google"),
            _pytest("airflow", "tests/unit/dags"),
            _pytest("dbt", "tests/unit/dbt_api"),
        ],
        "pages": [_pytest("test", "tests/pages")],
        "stack": [_pytest("test", "tests/stack")],
        "browser": [_pytest("test", "tests/browser")],
        "cluster": [_pytest("test", "tests/cluster")],
    }


def why_skipped(stage: str) -> str | None:
    """Why a stage cannot run here and what it takes, or None when it can run."""
    if stage != "cluster" or os.environ.get("KUBECONFIG") or not (reason := debian.why_not()):
        return None
    return f"{reason}: run it as root on Debian 12, or `KUBECONFIG=<file> python3 -m stack test cluster`"


@dataclass(frozen=True)
class Result:
    """How a stage ended."""

    stage: str
    word: str
    """passed, unsteady (what failed passed when it ran once more), FAILED or skipped."""
    seconds: float


class Testing:
    """One call of the command: which stages, and one voice for all lanes."""

    def __init__(self, places: Places, stages: list[str]) -> None:
        self._places = places
        self._checks = checks(places)
        self._lanes = [[stage for stage in lane if stage in (stages or STAGES)] for lane in LANES]
        self._progress = Progress()
        self._speaking = threading.Lock()

    def run(self) -> int:
        """Run the lanes side by side and go on after a failure. Returns 0 when all passed, 1 otherwise."""
        environments.create(self._places, environments.TESTING, self._progress.say)
        with ThreadPoolExecutor(len(self._lanes)) as pool:
            results = [result for lane in pool.map(self._run_lane, self._lanes) for result in lane]
        print("\nstage     result     seconds")
        for result in results:
            print(f"{result.stage:9} {result.word:9} {result.seconds:8.1f}")
        return int(any(result.word == "FAILED" for result in results))

    def _run_lane(self, lane: list[str]) -> list[Result]:
        return [self._run_stage(stage) for stage in lane]

    def _run_stage(self, stage: str) -> Result:
        if reason := why_skipped(stage):
            self._progress.say(f"{stage}: skipped, {reason}")
            return Result(stage, "skipped", 0)
        before = self._progress.seconds
        words = [self._run_check(stage, check) for check in self._checks[stage]]
        worst = next((word for word in ("FAILED", "unsteady") if word in words), "passed")
        return Result(stage, worst, self._progress.seconds - before)

    def _run_check(self, stage: str, check: Check) -> str:
        """Run one command. Tests with real neighbours on a busy machine get a second chance, and that is told."""
        if self._passes(stage, check, check.arguments):
            return "passed"
        if check.again and self._passes(stage, check, (*check.arguments, *check.again)):
            return "unsteady"
        return "FAILED"

    def _passes(self, stage: str, check: Check, arguments: tuple[str, ...]) -> bool:
        """Run it; what it prints is shown whole at its end, so that the lanes don't mix."""
        self._progress.say(f"{stage}: {check.environment}: {' '.join(arguments)}")
        ended = subprocess.run(
            [str(self._places.python(check.environment)), *arguments],
            cwd=ROOT,
            env=self._environment(check),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with self._speaking:
            self._progress.say(f"{stage}: {'passed' if ended.returncode == 0 else 'FAILED'}")
            print(ended.stdout, flush=True)
        return ended.returncode == 0

    def _environment(self, check: Check) -> dict[str, str]:
        hidden = ("PYTHONPATH", "VIRTUAL_ENV", "AIRFLOW_", "PILOTHOUSE_")
        environment = {
            name: value
            for name, value in os.environ.items()
            if name.startswith("PILOTHOUSE_CLUSTER_") or not name.startswith(hidden)
        }
        environment["PILOTHOUSE_ENVIRONMENTS"] = str(self._places.environments)
        binaries = self._places.python(check.environment).parent
        environment["PATH"] = f"{binaries}{os.pathsep}{environment.get('PATH', os.defpath)}"
        return environment


def test(places: Places, stages: list[str]) -> int:
    """Run the stages (all, if none are named). Returns 0 when all passed, 1 otherwise."""
    if unknown := set(stages) - set(STAGES):
        raise Problem(f"There is no stage {', '.join(sorted(unknown))}: choose from {', '.join(STAGES)}.")
    return Testing(places, stages).run()
