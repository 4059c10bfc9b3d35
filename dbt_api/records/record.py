"""What one attempt left, as clients may see it: the log by bytes and lines, the artifacts, all with secrets masked.

Masking changes no length, so sizes, ranges and offsets are those of the stored files.
"""

import hashlib
import io
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

import orjson

from contracts.dbt_api import Artifact
from dbt_api.errors import not_found
from dbt_api.records.files import LOG, TARGET, AttemptFiles, Files, StoredFile
from dbt_api.records.masking import Mask, mask
from dbt_api.records.shared_files import SharedFiles
from dbt_api.running.attempt import Attempt
from dbt_api.settings import settings
from dbt_api.tables import InvocationRow

BLOCK = 256 << 10
LOG_ARTIFACT = "log.jsonl"
"""The log's name among the artifacts."""
CACHES = {"partial_parse.msgpack", "graph.gpickle"}
"""dbt's own, no results."""
UNKNOWN_TYPE = "application/octet-stream"
MEDIA_TYPES = {".jsonl": "application/x-ndjson", ".sql": "application/sql", ".csv": "text/csv"}


@dataclass(frozen=True)
class Record:
    """One attempt of an invocation, as it was when its row was read."""

    identity: str
    """Names this attempt among all that ever were, also of an earlier invocation with the same task_id."""
    attempt: int
    complete: bool
    """Nothing will be added any more."""
    finished_at: datetime | None
    files: Files
    mask: Mask

    @property
    def log_size(self) -> int:
        """Bytes of the log so far. The row was read before: a complete record's size is final."""
        return self.files.size(LOG)

    def log(self, start: int, end: int) -> Iterator[bytes]:
        """Bytes of the log in blocks."""
        return self._blocks(LOG, start, end)

    def log_lines(self, offset: int) -> list[bytes]:
        """Some whole lines from the offset of a line on, with their line breaks; none when there is no more.

        The last line of a complete log counts as whole however it ends.
        """
        size = BLOCK
        while True:
            data = self._read(LOG, offset, offset + size)
            at_end = len(data) < size
            whole = len(data) if at_end and self.complete else data.rfind(b"\n") + 1
            if whole or at_end:
                return list(io.BytesIO(data[:whole]))
            size *= 4

    def artifacts(self, *, checksums: bool = False) -> list[Artifact]:
        """All artifacts by name, the log among them; with their checksums on request, which costs reading them."""
        stored = {each.name.removeprefix(f"{TARGET}/"): each for each in self.files.list(TARGET)}
        if log := self.files.find(LOG):
            stored[LOG_ARTIFACT] = log
        kept = sorted(name for name in stored if name not in CACHES)
        return [self._described(name, stored[name], checksum=checksums) for name in kept]

    def artifact(self, name: str) -> Artifact:
        """One artifact with its checksum. Raises ApiError 404."""
        return self._described(name, self._stored(name), checksum=True)

    def read_artifact(self, name: str, start: int, end: int) -> Iterator[bytes]:
        """Bytes of an artifact in blocks. Raises ApiError 404."""
        return self._blocks(self._stored(name).name, start, end)

    def json_artifact(self, name: str) -> dict[str, Any]:
        """An artifact of dbt's as read from JSON; empty when there is none or it is damaged."""
        stored = f"{TARGET}/{name}"
        try:
            content = orjson.loads(self._read(stored, 0, self.files.size(stored)))
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    def _stored(self, name: str) -> StoredFile:
        found = self.files.find(LOG if name == LOG_ARTIFACT else f"{TARGET}/{name}")
        if found is None or name in CACHES:
            raise not_found("artifact", name)
        return found

    def _described(self, name: str, stored: StoredFile, *, checksum: bool) -> Artifact:
        kind = MEDIA_TYPES.get(PurePosixPath(name).suffix) or mimetypes.guess_type(name)[0] or UNKNOWN_TYPE
        sha256 = _sha256(self, stored) if checksum else None
        return Artifact(name=name, bytes=stored.size, media_type=kind, sha256=sha256)

    def _blocks(self, name: str, start: int, end: int) -> Iterator[bytes]:
        for position in range(start, end, BLOCK):
            yield self._read(name, position, min(end, position + BLOCK))

    def _read(self, name: str, start: int, end: int) -> bytes:
        """A piece, masked as if the whole file were: so far around it is read as a secret may reach."""
        first = max(0, start - self.mask.reach)
        return self.mask(self.files.read(name, first, end + self.mask.reach))[start - first :][: end - start]


@lru_cache(maxsize=10_000)
def _sha256(record: Record, stored: StoredFile) -> str:
    """Checksum of what is served. The cache's key holds size and time of change, so it is never stale."""
    digest = hashlib.sha256()
    for block in record._blocks(stored.name, 0, stored.size):
        digest.update(block)
    return digest.hexdigest()


def record_of(row: InvocationRow, attempt: int | None = None) -> Record:
    """What an attempt of an invocation left, the newest one's if not told which. Raises ApiError 404."""
    number = row.attempt if attempt is None else attempt
    if not 0 <= number <= row.attempt:
        raise not_found("attempt", str(number))
    complete = row.state.is_terminal or number < row.attempt
    identity = f"{row.task_id}/{number} of {row.created_at}"
    return Record(identity, number, complete, row.finished_at, _files_of(row.task_id, number), mask())


def _files_of(task_id: str, attempt: int) -> Files:
    """On the own disk what ran here, on the shared storage what ran elsewhere."""
    own = AttemptFiles(Attempt(task_id, attempt).folder)
    is_here = settings().files_url is None or not attempt or own.folder.is_dir()
    return own if is_here else SharedFiles(task_id, attempt)
