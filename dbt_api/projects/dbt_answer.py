"""Short dbt commands whose answer the server itself needs: parse, ls, deps. Never two for one project at once."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from contracts.log_event import LogEvent, parse_log_line
from dbt_api.errors import ApiError
from dbt_api.lifecycle import stopping
from dbt_api.running.dbt_process import dbt_command, dbt_environment, keep_parse_cache
from dbt_api.settings import settings

LOOK_SECONDS = 0.05
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


@dataclass(frozen=True)
class Answer:
    """What dbt said and left in `folder`, which exists only within the block."""

    exit_code: int
    events: list[LogEvent]
    folder: Path


@contextmanager
def dbt_answer(project: str, path: Path, words: list[str], *, cache: Path | None = None) -> Iterator[Answer]:
    """Run dbt in a project's folder, with its parse cache if given (and leave it a better one).

    Raises ApiError 504 when dbt takes too long, 503 when the server stops.
    """
    (settings().data / "answers").mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{project}.", dir=settings().data / "answers"))
    try:
        with _locks[project]:
            code = _run(project, path, words, folder=folder, cache=cache)
        if cache is not None and code == 0:
            keep_parse_cache(folder / "target" / "partial_parse.msgpack", cache)
        lines = (folder / "events.jsonl").read_text(errors="replace").splitlines()
        yield Answer(code, [parse_log_line(line) for line in lines], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(project: str, path: Path, words: list[str], *, folder: Path, cache: Path | None) -> int:
    with (folder / "events.jsonl").open("wb") as log:
        process = subprocess.Popen(
            dbt_command(words, parse_cache=cache),
            cwd=path,
            env=dbt_environment(project, folder=folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        return _wait(process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(process: "subprocess.Popen[bytes]") -> int:
    until = time.monotonic() + settings().parse_timeout_seconds
    while (code := process.poll()) is None:
        if stopping.is_set():
            raise ApiError(503, "The dbt API is being stopped.", hint="Try again when it is back.")
        if time.monotonic() > until:
            raise ApiError(504, f"dbt gave no answer within {settings().parse_timeout_seconds:g} s.")
        time.sleep(LOOK_SECONDS)
    return code
