"""Short dbt commands whose answer the server itself needs: parse, ls, deps. Never two for one project at once."""

import shutil
import signal
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from contracts.log_event import LogEvent, parse_log_line
from dbt_api.errors import ApiError
from dbt_api.lifecycle import stopping
from dbt_api.running.attempt import Execution
from dbt_api.running.dbt_process import DbtCall, keep_parse_cache
from dbt_api.settings import settings

LOOK_SECONDS = 0.01
KILLED = 137
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


@dataclass(frozen=True)
class Answer:
    """What dbt said and left in `folder`, which exists only within the block."""

    exit_code: int
    events: list[LogEvent]
    folder: Path


@contextmanager
def dbt_answer(call: DbtCall) -> Iterator[Answer]:
    """Run dbt in a project's folder, with its parse cache if given (and leave it a better one).

    Raises ApiError 504 when dbt takes too long, 503 when the server stops.
    """
    (settings().data / "answers").mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{call.project}.", dir=settings().data / "answers"))
    execution = Execution(folder)
    try:
        with _locks[call.project]:
            code = _run(execution, call)
        if call.cache is not None and code == 0:
            keep_parse_cache(execution.target / "partial_parse.msgpack", call.cache)
        lines = execution.log.read_text(errors="replace").splitlines()
        yield Answer(code, [parse_log_line(line) for line in lines], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(execution: Execution, call: DbtCall) -> int:
    execution.start(call)
    try:
        _wait(execution)
    finally:
        execution.send(signal.SIGKILL)
    ending = execution.ending()
    return KILLED if ending is None or ending.exit_code is None else ending.exit_code


def _wait(execution: Execution) -> None:
    until = time.monotonic() + settings().parse_timeout_seconds
    while execution.is_alive():
        if stopping.is_set():
            raise ApiError(503, "The dbt API is being stopped.", hint="Try again when it is back.")
        if time.monotonic() > until:
            raise ApiError(504, f"dbt gave no answer within {settings().parse_timeout_seconds:g} s.")
        time.sleep(LOOK_SECONDS)
