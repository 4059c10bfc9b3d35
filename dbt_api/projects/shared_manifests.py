"""The kept manifests on storage that several hosts share: the same folders as on the own disk, which has copies.

A host looks there before it answers, and fetches what is newer than its own. While the storage is away it answers from
its own disk: an answer says when its manifest was made.
"""

import logging
import posixpath
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dbt_api.settings import settings
from dbt_api.storage import storage

LOG = logging.getLogger(__name__)
MARK = "facts.json"
"""Written last: a version without it is not whole."""


@contextmanager
def _patiently(what: str) -> Iterator[None]:
    """Storage that fails costs others the newest answer, and us nothing."""
    try:
        yield
    except Exception as error:  # each storage has its own
        LOG.warning("Manifests %s: %s: %s", what, type(error).__name__, error)


def share(version: Path, *, catalog: Path | None, kept: int) -> None:
    """Copy a version to the storage, and delete those that are older than the newest few."""
    if settings().files_url is not None:
        with _patiently("could not be shared"):
            _share(version, catalog, kept)


def _share(version: Path, catalog: Path | None, kept: int) -> None:
    files, _ = storage()
    for file in sorted(version.iterdir(), key=lambda each: each.name == MARK):
        files.put_file(str(file), _path(file))
    if catalog is not None:
        files.put_file(str(catalog), _path(catalog))
    names = sorted(_versions(version.parent))
    for name in names[:-kept]:
        files.rm(_path(version.parent / name), recursive=True)


def bring_newest(project: Path) -> None:
    """Let a project's folder have the newest version of each target; nothing where no storage is set."""
    if settings().files_url is None:
        return
    with _patiently("could not be looked for"):
        newest: dict[str, str] = {}
        for path in storage()[0].find(_path(project)):
            *_, target, name, file = path.split("/")
            if file == MARK:
                newest[target] = max(name, newest.get(target, ""))
        if not newest:
            shutil.rmtree(project, ignore_errors=True)
        for target, name in newest.items():
            _bring(project / target / name)


def catalog_of(file: Path) -> bytes | None:
    """The catalog as the storage has it; None where it has none, or no storage is set."""
    if settings().files_url is not None:
        with _patiently("could not be read"), suppress(FileNotFoundError):
            return bytes(storage()[0].cat_file(_path(file)))
    return None


def forget(project: Path) -> None:
    """Delete all of a project."""
    if settings().files_url is not None:
        with _patiently("could not be deleted"), suppress(FileNotFoundError):
            storage()[0].rm(_path(project), recursive=True)


def _bring(version: Path) -> None:
    if version.exists():
        return
    version.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".fetched.", dir=version.parent))
    try:
        for path in storage()[0].ls(_path(version), detail=False):
            storage()[0].get_file(path, str(temporary / posixpath.basename(path)))
        with suppress(OSError):  # another thread was quicker
            temporary.rename(version)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _versions(target: Path) -> list[str]:
    found = storage()[0].ls(_path(target), detail=False)
    return [name for name in (posixpath.basename(each.rstrip("/")) for each in found) if name[0].isdigit()]


def _path(local: Path) -> str:
    """The place on the storage that stands for one below `manifests` on the own disk."""
    return posixpath.join(storage()[1], "manifests", local.relative_to(settings().manifests).as_posix())
