"""Makes the virtual environments from their locks, and makes them again only when a lock has changed."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack.places import ROOT, Places
from stack.problems import Problem

STAMP = "pilothouse-locks.json"
TOOLS = "tests/tools.txt"
DBT_API_TOOLS = "tests/dbt_api.txt"
INSTALLER_LOCK = "stack/requirements.txt"

# What pip and uv say when they cannot reach the package index.
NO_NETWORK = (
    "failed to fetch", "dns error", "name resolution", "connection error", "could not connect", "newconnectionerror",
    "network is unreachable", "timed out", "client error (connect)", "(from versions: none)",
    "tunnel error", "error sending request", "proxyerror",
)  # fmt: skip

Say = Callable[[str], None]


@dataclass(frozen=True)
class Environment:
    """A virtual environment and the locks, relative to the repository, that it is made from."""

    name: str
    locks: tuple[str, ...]


CONSOLE = Environment("console", ("requirements.txt",))
AIRFLOW = Environment("airflow", ("dags/requirements.txt",))
DBT = Environment("dbt", ("dbt_api/requirements.txt",))
BOOTSTRAP = Environment("bootstrap", (INSTALLER_LOCK,))
OF_PART = {"airflow": AIRFLOW, "console": CONSOLE, "dbt-api": DBT}
TESTING = (
    Environment("airflow", (*AIRFLOW.locks, TOOLS)),
    Environment("test", ("tests/requirements.txt",)),
    CONSOLE,
    Environment("dbt", (*DBT.locks, TOOLS, DBT_API_TOOLS)),
)


def lock_hash(path: Path) -> str:
    """What identifies a lock: a hash of its bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def is_ready(places: Places, environment: Environment) -> bool:
    """Whether the environment was made completely, from these very locks (and perhaps others beside them)."""
    folder = places.environments / environment.name
    try:
        made_from = _made_from(folder)
    except (OSError, ValueError):
        return False
    wanted = {lock: lock_hash(ROOT / lock) for lock in environment.locks}
    return bool(made_from["python"] == sys.version and wanted.items() <= made_from["locks"].items())


def missing(places: Places, environments: Iterable[Environment]) -> list[Environment]:
    """The environments that have to be made, or made again."""
    return [environment for environment in environments if not is_ready(places, environment)]


def create(places: Places, environments: Iterable[Environment], say: Say) -> None:
    """Make what is missing, two at a time. Interrupted, it leaves nothing running and no environment marked as ready.

    Raises:
        Problem: packages could not be installed; the message has the reason and the log's place.
    """
    todo = missing(places, environments)
    if not todo:
        return
    places.logs.mkdir(parents=True, exist_ok=True)
    maker = _Maker(places, say)
    pool = ThreadPoolExecutor(max_workers=2)
    try:
        maker.install_installer()
        for finished in [pool.submit(maker.make, environment) for environment in todo]:
            finished.result()
    finally:
        maker.interrupt()
        pool.shutdown(cancel_futures=True)


def installer(places: Places, say: Say) -> Path:
    """The path of uv, which is installed if need be.

    Raises:
        Problem: it could not be installed.
    """
    places.logs.mkdir(parents=True, exist_ok=True)
    maker = _Maker(places, say)
    maker.install_installer()
    return Path(maker.installer)


class _Maker:
    """Makes environments with uv, which pip installs into an environment of its own."""

    def __init__(self, places: Places, say: Say) -> None:
        self.places = places
        self.say = say
        self.installer = str(places.environments / BOOTSTRAP.name / "bin" / "uv")
        self.running: set[subprocess.Popen[str]] = set()

    def install_installer(self) -> None:
        if is_ready(self.places, BOOTSTRAP):
            return
        self.say("installing the package installer (uv)")
        folder = self.places.environments / BOOTSTRAP.name
        shutil.rmtree(folder, ignore_errors=True)
        self._run("uv", [sys.executable, "-m", "venv", str(folder)])
        self._run("uv", [str(self.places.python(BOOTSTRAP.name)), "-m", "pip", "install",
                         "--disable-pip-version-check", "--requirement", str(ROOT / INSTALLER_LOCK)])  # fmt: skip
        _stamp(folder, BOOTSTRAP)

    def make(self, environment: Environment) -> None:
        folder = self.places.environments / environment.name
        python = str(self.places.python(environment.name))
        self.say(f"installing environment {environment.name} from {' and '.join(environment.locks)}")
        if (folder / STAMP).exists() and _made_from(folder)["python"] == sys.version:
            (folder / STAMP).unlink()
        else:
            shutil.rmtree(folder, ignore_errors=True)
            self._run(environment.name, [self.installer, "venv", "--python", sys.executable, str(folder)])
        locks = [str(ROOT / lock) for lock in environment.locks]
        self._run(environment.name, [self.installer, "pip", "sync", "--compile-bytecode", "--python", python, *locks])
        _stamp(folder, environment)
        self.say(f"environment {environment.name} is ready")

    def interrupt(self) -> None:
        """Stop installers that are still at work, because another failed or a person asked."""
        for process in list(self.running):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)

    def _run(self, name: str, command: list[str]) -> None:
        """Run one step, with its output in a log; its failure becomes one sentence."""
        log = self.places.logs / f"install-{name}.log"
        hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
        environment = {key: value for key, value in os.environ.items() if key not in hidden}
        process = subprocess.Popen(
            command,
            env=environment,
            process_group=0,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.running.add(process)
        output, _ = process.communicate()
        self.running.discard(process)
        with log.open("a") as file:
            file.write(f"$ {' '.join(command)}\n{output}")
        if process.returncode:
            raise Problem(explain(output, log))


def _made_from(folder: Path) -> Any:
    return json.loads((folder / STAMP).read_text())


def _stamp(folder: Path, environment: Environment) -> None:
    locks = {lock: lock_hash(ROOT / lock) for lock in environment.locks}
    (folder / STAMP).write_text(json.dumps({"python": sys.version, "locks": locks}, indent=2))


def explain(output: str, log: Path) -> str:
    """One sentence for what pip, venv or uv printed when it failed."""
    text = output.lower()
    if "ensurepip is not available" in text:
        return "Python's venv module is incomplete here: install the package python3.11-venv, then start again."
    if "no space left on device" in text:
        return "The disk is full: free some space, then start again; what is installed already is kept."
    if any(words in text for words in NO_NETWORK):
        return f"Packages could not be downloaded: check the network or the package index settings (details in {log})."
    lines = output.strip().splitlines() or ["no output"]
    reason = next((line for line in reversed(lines) if line.lower().startswith("error")), lines[-1])
    return f"Installing packages failed: {reason} (details in {log})."
