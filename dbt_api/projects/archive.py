"""Unpacks an uploaded zip or tar.gz, trusting nothing in it.

Only plain files and folders whose names stay inside come out, written by us: no extract() of a library decides where.
Sizes are counted as the bytes really come out of the decompressor, never believed from a header, so a bomb ends at the
limit.
"""

import gzip
import io
import os
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, Protocol

from dbt_api.errors import ApiError
from dbt_api.settings import settings

FREE_BYTES = 8 << 20
"""So much may come out of any archive: small projects with much white space compress extremely well."""
SKIPPED = {"__MACOSX", ".git", ".DS_Store"}
"""What packers add that is no part of a project."""
NAME_BYTES = 1000
DIRECTORY_BYTES_A_FILE = 300
DIRECTORY_END, ZIP64_LOCATOR, DIRECTORY_TAIL = b"PK\5\6", b"PK\6\7", 22 + 65_535 + 20
BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, struct.error),
    *(EOFError, NotImplementedError, ValueError, OverflowError, RecursionError),
)


def unpack(archive: BinaryIO, into: Path) -> None:
    """Write the archive's files below `into`, a new folder. Raises ApiError 422; what was written then is rubbish."""
    into.mkdir(parents=True)
    size = archive.seek(0, os.SEEK_END)
    budget = _Budget(min(settings().upload_unpacked_limit_bytes, max(FREE_BYTES, settings().upload_ratio_limit * size)))
    try:
        for number, member in enumerate(_members(archive, budget)):
            if number >= settings().upload_files_limit:
                raise ApiError(422, f"The archive holds more than {settings().upload_files_limit} files.")
            _write(member, into)
    except BROKEN as error:
        raise ApiError(422, f"The archive cannot be read: {error or type(error).__name__}.") from error


class _Budget:
    """How many bytes may still come out."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = limit

    def spend(self, data: bytes) -> bytes:
        """Count the bytes and hand them on."""
        self._left -= len(data)
        if self._left < 0:
            raise ApiError(422, f"The archive unpacks to more than {self._limit >> 20} MiB, too much for its size.")
        return data


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Counted(io.BufferedIOBase):
    """A stream that spends the budget as it is read."""

    def __init__(self, stream: _Readable, budget: _Budget) -> None:
        self._stream = stream
        self._budget = budget

    def read(self, size: int | None = -1, /) -> bytes:
        """At most `size` bytes."""
        return self._budget.spend(self._stream.read(-1 if size is None else size))


class _Member(NamedTuple):
    """One entry of an archive; `content` is None for a folder."""

    name: str
    content: _Readable | None


def _members(archive: BinaryIO, budget: _Budget) -> Iterator[_Member]:
    archive.seek(0)
    mark = archive.read(4)
    archive.seek(0)
    if mark.startswith(b"\x1f\x8b"):
        return _tar_members(archive, budget)
    if mark.startswith(b"PK"):
        return _zip_members(archive, budget)
    raise ApiError(422, "The file is neither a zip nor a tar.gz archive.")


def _tar_members(archive: BinaryIO, budget: _Budget) -> Iterator[_Member]:
    """Headers count too: a tar of nothing but headers is a bomb as well. So the whole stream spends the budget."""
    with (
        gzip.GzipFile(fileobj=archive, mode="rb") as unzipped,
        tarfile.open(fileobj=_Counted(unzipped, budget), mode="r|") as tar,
    ):
        for info in tar:
            if not (info.isreg() or info.isdir()) or info.issparse():
                raise _refused(info.name, "is a link or a device")
            yield _Member(info.name, tar.extractfile(info) if info.isreg() else None)


def _zip_members(archive: BinaryIO, budget: _Budget) -> Iterator[_Member]:
    _check_directory(archive)
    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refused(info.filename, "is a link or a device")
            if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise _refused(info.filename, "is encrypted or packed in an unusual way")
            if info.is_dir():
                yield _Member(info.filename, None)
            else:
                with packed.open(info) as content:
                    yield _Member(info.filename, _Counted(content, budget))


def _check_directory(archive: BinaryIO) -> None:
    """A zip's directory is read into memory as a whole, so its size is looked at before."""
    size = archive.seek(0, os.SEEK_END)
    archive.seek(max(0, size - DIRECTORY_TAIL))
    tail = archive.read()
    end = tail.rfind(DIRECTORY_END)
    length = int.from_bytes(tail[end + 12 : end + 16], "little") if end >= 0 else 0
    if ZIP64_LOCATOR in tail or length > settings().upload_files_limit * DIRECTORY_BYTES_A_FILE:
        raise ApiError(422, f"The archive holds more than {settings().upload_files_limit} files.")


def _write(member: _Member, into: Path) -> None:
    path = _inside(member.name)
    if SKIPPED.intersection(path.parts):
        return
    destination = into / path
    try:
        if member.content is None:
            destination.mkdir(parents=True, exist_ok=True)
            return
        destination.parent.mkdir(parents=True, exist_ok=True)
        with destination.open("xb") as file:
            shutil.copyfileobj(member.content, file)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise _refused(member.name, "is there twice") from None


def _inside(name: str) -> PurePosixPath:
    """The path below the folder. Raises ApiError 422 for a name that leads out or that no file system should see."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or name[1:2] == ":":
        raise _refused(name, "leads out of the project")
    is_text = name.isprintable() and len(name.encode(errors="replace")) <= NAME_BYTES
    if not is_text or any(len(part.encode()) > 255 for part in path.parts):
        raise _refused(name, "is not a proper file name")
    return path


def _refused(name: str, why: str) -> ApiError:
    return ApiError(422, f"The archive is refused: {name[:100]!r} {why}.", hint="Pack plain files and folders only.")
