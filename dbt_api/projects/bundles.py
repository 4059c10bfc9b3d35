"""A project's files on every host: packed by the server that made them, fetched by whoever needs them.

With `FILES_URL` only, and not for folder projects, whose files somebody else puts in place. A bundle is a whole
checkout with its packages installed, named by its own SHA-256: what a host has in the folder of that name is right for
ever, and a new one never comes under a run.
"""

import gzip
import hashlib
import io
import os
import posixpath
import shutil
import stat
import tarfile
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from dbt_api.errors import ApiError
from dbt_api.settings import settings
from dbt_api.storage import StorageAway, reached, storage
from dbt_api.tables import ProjectRow

UNUSED_SECONDS = 7 * 24 * 3600
"""After so long without a start, a host deletes an older bundle's folder."""
LEFT_OUT = {".git"}
BLOCK = 1 << 20


def publish(name: str, root: Path) -> str:
    """Pack a folder and put it on the storage. Gives back the bundle's name. Raises ApiError 503."""
    settings().data.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=settings().data) as file:
        _pack(root, file)
        file.flush()
        bundle = _digest(Path(file.name))
        with reached():
            files, _ = storage()
            if not files.exists(_path(name, bundle)):
                files.put_file(file.name, _path(name, bundle))
    return bundle


def exists(project: ProjectRow) -> bool:
    """Whether the storage has a project's bundle. Raises ApiError 503."""
    if project.bundle is None or settings().files_url is None:
        return False
    with reached():
        return bool(storage()[0].exists(_path(project.name, project.bundle)))


def folder_of(project: ProjectRow) -> Path:
    """The dbt project's folder on this host, fetched if need be.

    Raises ApiError: 503 while the storage cannot be reached, 409 when the files are not here and cannot be had.
    """
    if project.bundle is None or settings().files_url is None:
        return _in_place(project)
    folder = settings().projects / project.name / "bundle" / project.bundle
    if not folder.is_dir():
        _fetch(project.name, project.bundle, folder)
        _remove_unused(folder)
    os.utime(folder)
    return folder / project.bundle_folder


def forget(name: str, *, but: Collection[str | None] = ()) -> None:
    """Delete a project's bundles from the storage, except those named. Raises ApiError 503."""
    if settings().files_url is None:
        return
    with reached(), suppress(FileNotFoundError):
        files, _ = storage()
        for path in files.ls(_path(name, ""), detail=False):
            if posixpath.basename(path).partition(".")[0] not in but:
                files.rm_file(path)


def _in_place(project: ProjectRow) -> Path:
    path = Path(project.path)
    if not path.is_dir():
        raise ApiError(
            409,
            f"The folder '{path}' of the project '{project.name}' is not on this host.",
            hint="Several hosts need PILOTHOUSE_DBT_API_FILES_URL, or folder projects at the same path on each.",
        )
    return path


def _fetch(name: str, bundle: str, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".fetched.", dir=folder.parent))
    try:
        _download(_path(name, bundle), temporary / "packed")
        if _digest(temporary / "packed") != bundle:
            raise ApiError(503, f"The bundle of '{name}' came damaged from the storage.", hint="It is tried again.")
        with tarfile.open(temporary / "packed", "r:gz") as archive:
            archive.extractall(temporary / "files", filter="data")
        with suppress(OSError):  # not empty: another thread was quicker
            os.rename(temporary / "files", folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _download(path: str, into: Path) -> None:
    try:
        with reached():
            storage()[0].get_file(path, str(into))
    except FileNotFoundError as error:
        files, root = storage()
        if not files.isdir(root):  # a file system that is not mounted
            raise StorageAway(error) from error
        raise ApiError(409, "The project's files are gone from the storage.", hint="Register it again.") from error


def _remove_unused(newest: Path) -> None:
    for folder in newest.parent.iterdir():
        with suppress(FileNotFoundError):
            if folder != newest and time.time() - folder.stat().st_mtime > UNUSED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _path(name: str, bundle: str) -> str:
    return posixpath.join(storage()[1], "projects", name, f"{bundle}.tar.gz" if bundle else "")


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _pack(root: Path, into: IO[bytes]) -> None:
    """The same bytes for the same files: sorted, without times and owners."""
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=into, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in _paths(root):
            member = _member(path, root)
            if member is None:
                continue
            with path.open("rb") if member.isreg() else io.BytesIO() as content:
                archive.addfile(member, content)


def _paths(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(each for each in folders if each not in LEFT_OUT)
        yield from (Path(folder, name) for name in sorted({*folders, *files} - LEFT_OUT))


def _member(path: Path, root: Path) -> tarfile.TarInfo | None:
    """What stands for a path in the archive; None for what no other host could use, as links that lead out of it."""
    found, member = path.lstat(), tarfile.TarInfo(path.relative_to(root).as_posix())
    member.mode = 0o755 if found.st_mode & stat.S_IXUSR else 0o644
    if stat.S_ISDIR(found.st_mode):
        member.type = tarfile.DIRTYPE
    elif stat.S_ISREG(found.st_mode):
        member.size = found.st_size
    elif stat.S_ISLNK(found.st_mode) and path.resolve().is_relative_to(root.resolve()):
        member.type = tarfile.SYMTYPE  # dbt links local packages by their absolute path
        member.linkname = os.path.relpath(path.resolve(), path.parent.resolve())
    else:
        return None
    return member
