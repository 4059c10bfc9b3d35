"""Archives that people gave in the form. Kept by content, so that handing one to the dbt API can be repeated."""

import hashlib
import os
import time
from pathlib import Path

from sqlmodel import select

from contracts.dbt_api import UploadSource
from models.project import Project
from services.database import session
from services.errors import InvalidInput
from services.settings import settings

MEGABYTES = 64
"""What the dbt API takes, unless its own settings say otherwise."""
_MARKS = (b"PK", b"\x1f\x8b")
_UNSAVED_SECONDS = 3600
"""So long an archive may lie here before the project that names it is saved."""


def source_of(archive: bytes, filename: str) -> UploadSource:
    """The source that an archive is."""
    return UploadSource(sha256=hashlib.sha256(archive).hexdigest(), filename=filename[:200])


def check_archive(archive: bytes) -> None:
    """Refuse what is no archive by its first bytes; the dbt API looks inside. Raises InvalidInput."""
    if not archive.startswith(_MARKS):
        raise InvalidInput("This file is neither a zip nor a tar.gz archive.", field="source.sha256")


def keep_archive(archive: bytes) -> None:
    """Keep an archive until the last project that names it is gone."""
    path = _folder() / hashlib.sha256(archive).hexdigest()
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(archive)
    os.replace(part, path)


def find_archive(source: UploadSource) -> bytes | None:
    """The archive, if it is kept here."""
    try:
        return (_folder() / source.sha256).read_bytes()
    except FileNotFoundError:
        return None


def forget_unused() -> None:
    """Delete the archives that no project names, those just given apart."""
    with session() as opened:
        named = {source.get("sha256") for source in opened.exec(select(Project.source))}
    for path in _folder().iterdir():
        if path.name not in named and time.time() - path.stat().st_mtime > _UNSAVED_SECONDS:
            path.unlink(missing_ok=True)


def _folder() -> Path:
    folder = settings().data / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
