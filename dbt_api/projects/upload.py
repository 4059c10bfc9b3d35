"""Projects from an uploaded archive: each content has a folder of its own, so that nothing changes under a run."""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

from contracts.dbt_api import UploadSource
from dbt_api.errors import ApiError
from dbt_api.projects.archive import unpack
from dbt_api.settings import settings

NAME_LENGTH = 200
PROJECT_FILE = "dbt_project.yml"


def keep(name: str, archive: BinaryIO, *, filename: str) -> UploadSource:
    """Unpack an archive, whole or not at all. Raises ApiError 422 for one that is broken, hostile or no dbt project."""
    source = UploadSource(sha256=_digest(archive), filename=filename[:NAME_LENGTH])
    folder = _folder(name, source)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".upload.", dir=folder.parent))
        try:
            unpack(archive, temporary / "files")
            _project_folder(temporary / "files")
            os.replace(temporary / "files", folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return source


def kept(name: str, source: UploadSource) -> tuple[Path, Path]:
    """The files of an archive that was uploaded before, and the dbt project among them. Raises ApiError 422."""
    folder = _folder(name, source)
    if not folder.is_dir():
        raise ApiError(422, "The archive is not on the dbt API.", hint="Upload it again.")
    return folder, _project_folder(folder)


def folder_of(name: str) -> Path:
    """Where the uploads of a project lie, one folder each."""
    return settings().projects / name / "upload"


def _digest(archive: BinaryIO) -> str:
    archive.seek(0)
    digest = hashlib.sha256()
    while block := archive.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _folder(name: str, source: UploadSource) -> Path:
    return folder_of(name) / source.sha256


def _project_folder(root: Path) -> Path:
    """The folder of the archive's one dbt_project.yml: at the top, or one level down."""
    if (root / PROJECT_FILE).is_file():
        return root
    found = sorted(each.parent for each in root.glob(f"*/{PROJECT_FILE}") if each.is_file())
    if not found:
        raise ApiError(
            422,
            f"There is no {PROJECT_FILE} in the archive.",
            hint="It must lie at the top of the archive, or in a folder at the top.",
        )
    if len(found) > 1:
        names = ", ".join(f"'{each.name}'" for each in found[:5])
        raise ApiError(422, f"The archive holds several dbt projects: {names}.", hint="Pack one of them.")
    return found[0]
