"""Where the logs of an invocation lie, and the one way to write them."""

import os
from pathlib import Path
from typing import Literal

from models.run import Invocation
from services.logs import index
from services.settings import settings

Source = Literal["dbt", "airflow"]

_FILES: dict[Source, str] = {"dbt": "dbt.jsonl", "airflow": "airflow.log"}


def folder(run_id: int, task_id: str) -> Path:
    """Where the logs and artifacts of one invocation lie."""
    return settings().logs / str(run_id) / task_id


def path_of(invocation: Invocation, source: Source = "dbt") -> Path:
    """The collected log file; it may not exist yet."""
    return folder(invocation.run_id, invocation.task_id) / _FILES[source]


def artifacts_of(invocation: Invocation) -> Path:
    """The folder of the kept artifacts; it may not exist."""
    return folder(invocation.run_id, invocation.task_id) / "artifacts"


def append(path: Path, offset: int, data: bytes) -> None:
    """Write at `offset` and cut off whatever lay behind: it was written by a process that died before it committed.

    The bytes are on disk when this returns, so a cursor committed afterwards never points past the file's end. The
    index grows with the file, under the same lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with open(descriptor, "r+b") as file, index.locked(file):
        index.cut(path, file, offset)
        file.truncate(offset)
        file.seek(offset)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        index.extend_locked(path, file)


def size_of(path: Path) -> int:
    """Bytes in a file, 0 when there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
