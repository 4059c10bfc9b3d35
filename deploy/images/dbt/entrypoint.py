"""Process 1 of a dbt pod: `entrypoint.py dbt build …` runs dbt, lets it end gracefully, and sends its results out.

Kubernetes ends a pod with SIGTERM, on which dbt dies at once: no results, and the warehouse's query goes on. So dbt
gets a SIGTERM as the SIGINT that it understands. When dbt has ended, whatever the way, its artifacts
are printed as JSON events of the same form as dbt's own, because a pod's log is the one way out that always exists;
contracts/log_artifacts.py reads them. The exit status is dbt's, or 128 + the number of the signal that killed it.
Standard library only: the file is copied into an image by itself.
"""

import base64
import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

RESULTS = "run_results.json"
ARTIFACTS = (RESULTS, "sources.json", "manifest.json", "catalog.json")
LIMIT_BYTES = 2_000_000
"""How large an artifact may be, compressed, to go into the log; PILOTHOUSE_ARTIFACT_LIMIT_BYTES changes it."""

AGAIN_SECONDS = 10
"""Between the first and the second interrupt: time for a warehouse to take the cancelling of queries."""

REQUESTS = (signal.SIGTERM, signal.SIGINT)
PART_BYTES = 9_000
"""Compressed bytes of one line: with base64 it stays below the 16 KiB at which container runtimes split lines."""


def run(command: list[str], has_results: Callable[[], bool]) -> int:
    """Run dbt to its end, in a process group of its own. Returns its exit status; a negative one is a signal.

    The first request to stop interrupts the group; those that come before dbt exists wait until it does, later ones do
    nothing. dbt writes its results first, then cancels the queries that run. One that a node sends just after that
    would go on to its end, so a dbt that has its results and still lives gets a second interrupt, which ends it.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, REQUESTS)
    child = subprocess.Popen(command, process_group=0, preexec_fn=_become_dbt)
    is_asked = False

    def interrupt() -> None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGINT)

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal is_asked
        if not is_asked:
            is_asked = True
            interrupt()
            signal.alarm(AGAIN_SECONDS)

    def stop_again(_number: int, _frame: FrameType | None) -> None:
        if has_results():
            interrupt()
        else:
            signal.alarm(1)

    signal.signal(signal.SIGALRM, stop_again)
    for number in REQUESTS:
        signal.signal(number, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, REQUESTS)
    status = child.wait()
    signal.alarm(0)
    return status


def _become_dbt() -> None:
    """Undo what dbt must not inherit: the blocked signals, and a SIGINT that a shell has set to be ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, REQUESTS)


def target_folder(command: list[str]) -> Path:
    """Where dbt writes its artifacts: by option, by environment variable, or dbt's default."""
    for position, word in enumerate(command):
        name, equals, value = word.partition("=")
        if name == "--target-path":
            return Path(value if equals else "".join(command[position + 1 : position + 2]))
    return Path(os.environ.get("DBT_TARGET_PATH") or "target")


def ages(folder: Path) -> dict[str, int]:
    """When each artifact that is there was written, in nanoseconds."""
    return {name: (folder / name).stat().st_mtime_ns for name in ARTIFACTS if (folder / name).is_file()}


def lines_of(path: Path, limit: int) -> Iterator[str]:
    """The log lines that carry one artifact, or the one that says why it is left out."""
    content = path.read_bytes()
    packed = gzip.compress(content, mtime=0)
    about = {"artifact": path.name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    if len(packed) > limit:
        message = f"{path.name} is left out: {len(packed)} bytes compressed, the limit is {limit}"
        yield event("PilothouseArtifactLeftOut", "warn", message, about)
        return
    parts = [packed[start : start + PART_BYTES] for start in range(0, len(packed), PART_BYTES)]
    for number, part in enumerate(parts, 1):
        data = {**about, "part": number, "parts": len(parts), "content": _in_letters(part)}
        yield event("PilothouseArtifact", "debug", f"{path.name}, part {number} of {len(parts)}", data)


def _in_letters(part: bytes) -> str:
    """base64 with `!` for `J`: whatever begins with eyJ Airflow takes for a token, and hides it in its copy."""
    return base64.b64encode(part).decode().replace("J", "!")


def event(name: str, level: str, message: str, data: dict[str, Any]) -> str:
    """One line in the form of dbt's structured log."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    info = {"name": name, "code": "", "level": level, "msg": message, "ts": now, "pid": os.getpid(),
            "invocation_id": "", "thread": "MainThread", "category": "", "extra": {}}  # fmt: skip
    return json.dumps({"info": info, "data": data})


def main(command: list[str]) -> int:
    """Run dbt, then print the artifacts that it has written. Failing to print them changes nothing about the status."""
    folder = target_folder(command)
    before = ages(folder)
    try:
        status = run(command, lambda: ages(folder).get(RESULTS) != before.get(RESULTS))
    except OSError as error:
        print(event("PilothouseStartFailed", "error", f"{command[0]} could not be started: {error}", {}), flush=True)
        return 127
    if status < 0:
        print(flush=True)  # a killed dbt may have left half a line
    try:
        limit = int(os.environ.get("PILOTHOUSE_ARTIFACT_LIMIT_BYTES") or LIMIT_BYTES)
        for name, written in ages(folder).items():
            if before.get(name) != written:
                for line in lines_of(folder / name, limit):
                    print(line, flush=True)
    except (OSError, ValueError) as error:
        print(event("PilothouseArtifactsFailed", "error", f"dbt's artifacts cannot be sent: {error}", {}), flush=True)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
