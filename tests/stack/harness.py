"""A real stack for tests: `python3 -m stack up` on free ports, with a data folder of its own."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from stack import proc, secrets, state
from stack.places import ROOT, Places
from stack.processes import MARKER
from tests.ports import free_ports

READY_SECONDS = 300
STOP_SECONDS = 180
PR_SET_PDEATHSIG = 1


def _in_the_child() -> None:
    """Stop when the test session is killed; ignore SIGINT at first, as shells make background jobs do."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Stack:
    """One stack, not started yet. Python environments are shared with all others; `environment` is its own."""

    def __init__(
        self, data: Path, *, parts: Sequence[str] = (), environment: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        console, airflow, dbt_api = free_ports(3)
        shared = os.environ.get("PILOTHOUSE_ENVIRONMENTS") or str(ROOT / ".pilothouse" / "environments")
        self.parts = parts
        self._environment = environment
        self.settings = {
            "PILOTHOUSE_DATA": str(data),
            "PILOTHOUSE_ENVIRONMENTS": shared,
            "PILOTHOUSE_CONSOLE_PORT": str(console),
            "PILOTHOUSE_AIRFLOW_PORT": str(airflow),
            "PILOTHOUSE_DBT_API_PORT": str(dbt_api),
            "PILOTHOUSE_DBT_API_QUEUE_POLL_SECONDS": "0.25",  # idle, it would take a tenth of a core
        }
        self.places = Places.from_settings(self.settings)
        self.data = data
        self.output = data.parent / f"{data.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def console_url(self) -> str:
        return self.places.console.url

    @property
    def airflow_url(self) -> str:
        return self.places.airflow.url

    @property
    def dbt_api_url(self) -> str:
        return self.places.dbt_api.url

    @property
    def airflow_user(self) -> str:
        return secrets.AIRFLOW_USER

    @property
    def airflow_password(self) -> str:
        return secrets.airflow_password_file(self.places).read_text()

    @property
    def dbt_api_token(self) -> str:
        return (self.places.secrets / "pilothouse_dbt_api_token").read_text()

    @property
    def console_settings(self) -> dict[str, str]:
        """Environment variables with which our own services, imported by a test, speak to this stack."""
        return {
            "PILOTHOUSE_DATA": str(self.data),
            "PILOTHOUSE_AIRFLOW_URL": self.airflow_url,
            "PILOTHOUSE_DBT_API_URL": self.dbt_api_url,
        }

    def launch(self) -> None:
        """Start it and don't wait. What it prints goes to `output`."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        only = [word for part in self.parts for word in ("--only", part)]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PILOTHOUSE_")}
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "stack", "up", *only],
                cwd=ROOT,
                env={**inherited, **self._environment, **self.settings},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_in_the_child,
            )

    def start(self) -> None:
        """Start it, or start it again, and wait until it is ready."""
        self.launch()
        assert self.process
        deadline = time.monotonic() + READY_SECONDS
        while not (now := state.read(self.places)) or now["pid"] != self.process.pid or not now["ready"]:
            assert self.process.poll() is None, f"the stack did not start:\n{self.printed()}"
            assert time.monotonic() < deadline, f"the stack was not ready after {READY_SECONDS} s:\n{self.printed()}"
            time.sleep(0.1)

    @property
    def runs(self) -> bool:
        """Whether it has been started and not ended."""
        return self.process is not None and self.process.poll() is None

    def printed(self) -> str:
        """All that it has printed, over all starts."""
        return self.output.read_text(errors="replace")

    def pid(self, name: str) -> int:
        """The process id of one of its processes."""
        now = state.read(self.places)
        assert now, "the stack does not run"
        found: int = now["processes"][name]
        return found

    def kill(self, *names: str) -> None:
        """`kill -9` some of its processes at once, which makes the whole stack stop."""
        for pid in [self.pid(name) for name in names]:
            os.kill(pid, signal.SIGKILL)

    def ask(self, number: signal.Signals) -> None:
        """Send a signal to the supervisor."""
        assert self.process
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end and return the exit status."""
        assert self.process
        return self.process.wait(timeout=STOP_SECONDS)

    def stop(self) -> int:
        """Stop it and return the exit status."""
        self.ask(signal.SIGTERM)
        return self.wait()

    def pids(self) -> list[int]:
        """Every live process that belongs to it."""
        return proc.marked(MARKER, str(self.data))

    def close(self) -> None:
        """Whatever state it is in, leave nothing behind."""
        if self.runs:
            self.stop()
        proc.end(self.pids, [(signal.SIGKILL, 5.0)])
