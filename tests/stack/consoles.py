"""A console of a test's own: a data folder, a collector and, where a test wants to look, the pages.

It works with the Airflow and the dbt API of a stack that it may share with others: the stack has no console then, so
that a test may kill the collector without ending anything else.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from services.database import engine, migrate
from services.settings import settings
from stack import checks
from stack.places import HOST, ROOT
from tests.ports import free_ports
from tests.stack.harness import Stack

T = TypeVar("T")
PATIENCE_SECONDS = 120


def until(wanted: Callable[[], T], *, seconds: float = PATIENCE_SECONDS) -> T:
    """Wait for a truth."""
    deadline = time.monotonic() + seconds
    while not (found := wanted()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.1)
    return found


class Collector:
    """The collector's process, which a test may kill and start again."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it with the settings that hold now."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "services.collector"], cwd=ROOT, env=os.environ, stdout=output, stderr=output
            )

    def end(self, number: signal.Signals) -> int:
        """Send a signal that ends it, and wait. Returns its exit status."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def stop(self) -> None:
        """End it as its operator does; it must end well."""
        status = self.end(signal.SIGTERM)
        assert status == 0, f"exit status {status}: {self.output.read_text()[-3000:]}"

    @property
    def runs(self) -> bool:
        """Whether it has been started and not ended."""
        return self.process is not None and self.process.poll() is None


@dataclass(frozen=True)
class OwnConsole:
    """A console whose services, imported by the test, work on its data."""

    data: Path
    collector: Collector

    @contextmanager
    def pages(self) -> Iterator[str]:
        """Serve the pages for a browser; gives their address."""
        [port] = free_ports(1)
        url = f"http://{HOST}:{port}"
        command = ["-m", "streamlit", "run", "app.py", "--server.address", HOST, "--server.port", str(port)]
        with (self.data.parent / "pages.log").open("ab") as output:
            pages = subprocess.Popen(
                [sys.executable, *command, "--server.headless", "true"],
                cwd=ROOT, env=os.environ | {"PILOTHOUSE_CONSOLE_URL": url}, stdout=output, stderr=output,
            )  # fmt: skip
        try:
            until(lambda: checks.answers(f"{url}/_stcore/health"))
            yield url
        finally:
            pages.kill()
            pages.wait()


@contextmanager
def settings_of(values: dict[str, str]) -> Iterator[None]:
    """Let our services work with these settings, on their own database."""
    before = dict(os.environ)
    os.environ.update({f"PILOTHOUSE_{name}": value for name, value in values.items()})
    settings.cache_clear()
    engine.cache_clear()
    try:
        migrate()
        yield
    finally:
        engine().dispose()
        os.environ.clear()
        os.environ.update(before)
        settings.cache_clear()
        engine.cache_clear()


@contextmanager
def own_console(stack: Stack, folder: Path) -> Iterator[OwnConsole]:
    """A console on the stack's Airflow and dbt API; its collector runs and may be killed and started by the test."""
    data = folder / "data"
    values = {
        "AIRFLOW_URL": stack.airflow_url,
        "AIRFLOW_PASSWORD": stack.airflow_password,
        "DBT_API_URL": stack.dbt_api_url,
        "DBT_API_TOKEN": stack.dbt_api_token,
        "DATA": str(data),
    }
    with settings_of(values):
        console = OwnConsole(data, Collector(folder / "collector.log"))
        console.collector.start()
        try:
            yield console
        finally:
            if console.collector.runs:
                console.collector.stop()
