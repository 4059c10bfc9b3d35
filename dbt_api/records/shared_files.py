"""Files of attempts on storage that several hosts share: S3, GCS, or whatever else fsspec reaches.

dbt always writes to its worker's own disk. The worker copies the log in pieces while dbt runs, since object storage
cannot append, and log and artifacts whole at the end, before the invocation's state becomes terminal. Each attempt has
its own folder, so a worker that was counted as lost cannot spoil what its successor writes.
`SharedFiles` answers the same questions as the files on the own disk.
"""

import contextlib
import logging
import posixpath
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from dbt_api.records.files import LOG, StoredFile
from dbt_api.running.attempt import Attempt
from dbt_api.settings import settings
from dbt_api.storage import reached, storage

logger = logging.getLogger(__name__)
PIECES = "log"
"""Folder of the log's pieces, each named by its offset; gone once the whole log is there."""
CACHES = {"partial_parse.msgpack", "graph.gpickle"}
PIECE_LIMIT = 8 << 20
PIECE_SECONDS = (1.0, 5.0)
"""Between two pieces: the shortest time, and the longest, which long runs come to."""
PATIENCE_SECONDS = 120
"""How long the end of an invocation waits for storage that fails."""


@dataclass(frozen=True)
class SharedFiles:
    """The files of one attempt, named by their path below its folder, with `/` between the parts.

    What reads them raises StorageAway when the storage fails.
    """

    task_id: str
    attempt: int

    @property
    def folder(self) -> str:
        """The attempt's folder on the storage."""
        return posixpath.join(storage()[1], "invocations", self.task_id, str(self.attempt))

    def list(self, under: str) -> Iterator[StoredFile]:
        """All files below a folder of the attempt; none when there is no such folder."""
        with contextlib.suppress(FileNotFoundError):
            with reached():
                found = storage()[0].find(self._path(under), detail=True)
            # s3fs takes a folder that comes into being while it looks for a file
            yield from (self._described(info) for info in found.values() if info["type"] == "file")

    def find(self, name: str) -> StoredFile | None:
        """One file; None also for a name that leads out of the attempt's folder."""
        if posixpath.normpath(name) == name and not name.startswith(("/", "..")):
            with contextlib.suppress(FileNotFoundError, ValueError), reached():
                info = storage()[0].info(self._path(name))
                if info["type"] == "file":
                    return self._described(info)
        return None

    def size(self, name: str) -> int:
        """Bytes in a file so far, 0 while there is none."""
        with contextlib.suppress(FileNotFoundError), reached():
            return int(storage()[0].info(self._path(name))["size"])
        return max((end for _, end in self._pieces()), default=0) if name == LOG else 0

    def read(self, name: str, start: int, end: int) -> bytes:
        """Bytes `start` up to but not including `end`, fewer where the file ends before; none when there is no file."""
        with reached():
            return self._read(name, start, end)

    def _read(self, name: str, start: int, end: int) -> bytes:
        with contextlib.suppress(FileNotFoundError):
            return self._read_range(self._path(name), start, end)
        if name != LOG:
            return b""
        with contextlib.suppress(FileNotFoundError):  # the pieces gave way to the whole log in between
            return self._read_pieces(start, end)
        return self._read_range(self._path(name), start, end)

    def _read_range(self, path: str, start: int, end: int) -> bytes:
        end = min(end, int(storage()[0].info(path)["size"]))
        return bytes(storage()[0].cat_file(path, start=start, end=end)) if start < end else b""

    def _read_pieces(self, start: int, end: int) -> bytes:
        data = b""
        for first, last in self._pieces():
            if first < end and last > start:
                piece = bytes(storage()[0].cat_file(self._piece(first)))
                data += piece[max(0, start - first) : end - first]
        return data

    def _pieces(self) -> Iterator[tuple[int, int]]:
        """Start and end of the log's pieces, up to the first gap."""
        until = 0
        for each in sorted(self.list(PIECES), key=lambda file: file.name):
            first = int(posixpath.basename(each.name))
            if first != until:
                break
            until = first + each.size
            yield first, until

    def _piece(self, offset: int) -> str:
        return self._path(f"{PIECES}/{offset:020}")

    def _path(self, name: str) -> str:
        return posixpath.join(self.folder, name)

    def _described(self, info: dict[str, Any]) -> StoredFile:
        changed = info.get("LastModified") or info.get("mtime") or info.get("created")
        seconds = changed.timestamp() if isinstance(changed, datetime) else float(changed or 0)
        name = posixpath.relpath(info["name"], self.folder)
        return StoredFile(name, int(info["size"]), int(seconds * 1e9))

    def add_piece(self, log: Path) -> int:
        """Copy what the log grew by since its last piece. Gives back the number of bytes."""
        offset = self.size(LOG)
        with contextlib.suppress(FileNotFoundError), log.open("rb") as file:
            file.seek(offset)
            if data := file.read(PIECE_LIMIT):
                storage()[0].pipe_file(self._piece(offset), data)
                return len(data)
        return 0

    def add_all(self, attempt: Attempt) -> None:
        """Copy log and artifacts whole; the pieces go last, so that a reader always finds the log. Safe to repeat."""
        files = [each for each in attempt.target.rglob("*") if each.is_file() and not each.is_symlink()]
        for file in [*(each for each in files if each.name not in CACHES), attempt.log]:
            if file.exists():
                storage()[0].put_file(str(file), self._path(file.relative_to(attempt.folder).as_posix()))
        with contextlib.suppress(FileNotFoundError):
            storage()[0].rm(self._path(PIECES), recursive=True)


class Upload:
    """Copies an attempt's files while the block runs, and whole at its end; nothing where no storage is set."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._files = SharedFiles(attempt.task_id, attempt.number)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True, name=f"upload of {attempt.task_id}")

    def __enter__(self) -> None:
        if settings().files_url is not None:
            self._thread.start()

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._ended.set()
        if settings().files_url is None:
            return
        self._thread.join()
        if kind is None:
            self._complete()

    def _keep(self) -> None:
        began = time.monotonic()
        shortest, longest = PIECE_SECONDS
        while not self._ended.wait(min(longest, shortest + (time.monotonic() - began) / 100)):
            try:
                self._files.add_piece(self._attempt.log)
            except Exception as error:
                logger.warning("The log of %s could not be copied: %s", self._attempt.task_id, error)

    def _complete(self) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._files.add_all(self._attempt)
            except Exception as error:
                if time.monotonic() > until:
                    logger.exception("The files of %s stay on this worker's disk only", self._attempt.task_id)
                    return None
                logger.warning("The files of %s could not be copied yet: %s", self._attempt.task_id, error)
                time.sleep(2)


def forget(task_ids: list[str]) -> None:
    """Delete the files of invocations from the storage, if one is set."""
    if settings().files_url is None:
        return
    files, root = storage()
    for task_id in task_ids:
        with contextlib.suppress(FileNotFoundError):
            files.rm(posixpath.join(root, "invocations", task_id), recursive=True)
