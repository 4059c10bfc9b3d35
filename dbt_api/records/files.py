"""The one door to the files of an attempt: its log and its artifacts. Where they lie is this module's matter alone.

Everything that clients read of an invocation comes through `list`, `find`, `size` and `read`; storage that several
hosts share needs no more than these four.
"""

import posixpath
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

LOG = "events.jsonl"
"""All that dbt printed: its JSON events, and tracebacks and usage errors in between."""
TARGET = "target"
"""dbt's target path: the folder of the artifacts."""


@dataclass(frozen=True)
class StoredFile:
    """A file of an attempt. `changed_ns` is its time of change in nanoseconds since 1970 (UTC)."""

    name: str
    size: int
    changed_ns: int


class Files(Protocol):
    """What is asked of an attempt's files, wherever they lie."""

    def list(self, under: str) -> Iterator[StoredFile]:
        """All files below a folder of the attempt."""

    def find(self, name: str) -> StoredFile | None:
        """One file; None also for a name that leads out of the attempt's folder."""

    def size(self, name: str) -> int:
        """Bytes in a file so far, 0 while there is none."""

    def read(self, name: str, start: int, end: int) -> bytes:
        """Bytes `start` up to but not including `end`, fewer where the file ends before."""


@dataclass(frozen=True)
class AttemptFiles:
    """The files of one attempt on the own disk, named by their path below its folder, with `/` between the parts."""

    folder: Path

    def list(self, under: str) -> Iterator[StoredFile]:
        """All files below a folder of the attempt; none when there is no such folder. Links are no files."""
        for path in (self.folder / under).rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield self._stored(path)

    def find(self, name: str) -> StoredFile | None:
        """One file; None also for a name that leads out of the attempt's folder or through a link."""
        path = self.folder / name
        with suppress(OSError, ValueError):  # a name too long, or with a NUL
            if posixpath.normpath(name) == name and path.resolve() == self.folder.resolve() / name and path.is_file():
                return self._stored(path)
        return None

    def size(self, name: str) -> int:
        """Bytes in a file so far, 0 while there is none."""
        try:
            return (self.folder / name).stat().st_size
        except FileNotFoundError:
            return 0

    def read(self, name: str, start: int, end: int) -> bytes:
        """Bytes `start` up to but not including `end`, fewer where the file ends before; none when there is no file."""
        try:
            with (self.folder / name).open("rb") as file:
                file.seek(start)
                return file.read(end - start)
        except FileNotFoundError:
            return b""

    def _stored(self, path: Path) -> StoredFile:
        found = path.stat()
        return StoredFile(path.relative_to(self.folder).as_posix(), found.st_size, found.st_mtime_ns)
