"""All artifacts as one zip file, made while it is sent."""

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

from dbt_api.records.record import Record


class _Outbox(io.RawIOBase):
    """What zipfile wrote since it was last emptied. It cannot seek, so zipfile never goes back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        return len(part)

    def empty(self) -> bytes:
        sent, self._parts = b"".join(self._parts), []
        return sent


def zipped(record: Record) -> Iterator[bytes]:
    """The zip file in pieces, a block of an artifact in memory at a time. Entries bear the time of the end (UTC)."""
    outbox = _Outbox()
    moment = (record.finished_at or datetime.now(UTC)).timetuple()[:6]
    with zipfile.ZipFile(outbox, "w") as archive:
        for artifact in record.artifacts():
            info = zipfile.ZipInfo(artifact.name, moment)
            info.compress_type, info.file_size = zipfile.ZIP_DEFLATED, artifact.bytes
            with archive.open(info, "w") as entry:
                for block in record.read_artifact(artifact.name, 0, artifact.bytes):
                    entry.write(block)
                    yield outbox.empty()
    yield outbox.empty()
