"""dbt's artifacts as they travel in a pod's log: parts in log events, put together again.

Source of the events: deploy/images/dbt/entrypoint.py prints them when dbt has ended. Of each artifact `data` holds

    artifact  its file name, e.g. run_results.json
    sha256    of the file, in hexadecimal
    bytes     the file's size
    part      number of this part, from 1
    parts     how many there are
    content   base64 of this part of the file's gzip form, with `!` for `J`: Airflow hides what begins with eyJ

in events named PilothouseArtifact; an artifact too large for the log is named in a PilothouseArtifactLeftOut instead.
"""

import base64
import binascii
import hashlib
import zlib
from dataclasses import dataclass

from pydantic import BaseModel, Field, ValidationError

from contracts.log_event import LogEvent

ARTIFACT_EVENT = "PilothouseArtifact"
LEFT_OUT_EVENT = "PilothouseArtifactLeftOut"
MAXIMUM_BYTES = 200_000_000
"""No artifact is unpacked to more than this, whatever its events say."""

MAXIMUM_PARTS = 10_000
ARTIFACT_NAME_PATTERN = r"^[a-z_]+\.json$"


class ArtifactPart(BaseModel):
    """The `data` of one event."""

    artifact: str = Field(pattern=ARTIFACT_NAME_PATTERN)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0, le=MAXIMUM_BYTES)
    part: int = Field(ge=1)
    parts: int = Field(ge=1, le=MAXIMUM_PARTS)
    content: str = Field(max_length=20_000)


@dataclass(frozen=True)
class Artifact:
    """A whole artifact, whose checksum was right."""

    name: str
    content: bytes


class ArtifactReader:
    """Gathers parts, in any order and any number of times, as logs deliver them at least once."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, str], dict[int, str]] = {}

    def add(self, event: LogEvent) -> Artifact | None:
        """Take in one event, of whatever kind.

        Returns the artifact with the last of its parts, otherwise None; again, if all its parts come again.
        """
        if event.name != ARTIFACT_EVENT:
            return None
        try:
            part = ArtifactPart.model_validate(event.data)
        except ValidationError:
            return None
        key = (part.artifact, part.sha256)
        parts = self._parts.setdefault(key, {})
        parts[part.part] = part.content
        if len(parts) < part.parts:
            return None
        del self._parts[key]
        content = _unpacked([parts[number] for number in sorted(parts)], part.bytes)
        return Artifact(part.artifact, content) if hashlib.sha256(content).hexdigest() == part.sha256 else None


def _unpacked(parts: list[str], size: int) -> bytes:
    """The file's bytes; something else, perhaps nothing, if the parts are damaged."""
    try:
        packed = b"".join(base64.b64decode(part.replace("!", "J"), validate=True) for part in parts)
        return zlib.decompressobj(wbits=31).decompress(packed, size + 1)
    except (binascii.Error, zlib.error):
        return b""
