"""What dbt's parent gives to it, and what it leaves."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from dbt_api.running.attempt import SHIM

DBT = """
import os, resource, signal
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler, os.getpgid(0) == os.getpid())
print(resource.getrlimit(resource.RLIMIT_DATA)[0] >> 20)
raise SystemExit(2)
"""


def test_dbt_can_be_interrupted_whoever_started_the_server(tmp_path: Path) -> None:
    """A shell's background jobs ignore SIGINT, and children inherit that. D16: dbt has a process group of its own."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SHIM), str(tmp_path), str(512 << 20), sys.executable, "-c", DBT],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines() == ["True True", "512"], done.stderr
    ending = json.loads((tmp_path / "exit.json").read_text())
    assert (ending["exit_code"], ending["signal"]) == (2, None)
    assert int((tmp_path / "dbt.pid").read_text()) > 0
