"""The newest good manifest of each project and target, with where it comes from.

Each lies in a folder of its own, `<project>/<target>/<generated_at>-<dbt's invocation id>`, and the greatest name is
the newest. So keeping one needs no lock, one that comes late replaces no newer one, and a reader sees a whole one.
With shared storage the same folders lie there, and those on this host's disk are no more than copies.
"""

import json
import os
import re
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.dbt_api import ManifestFacts
from dbt_api.errors import ApiError
from dbt_api.projects import shared_manifests
from dbt_api.settings import settings

MANIFEST, CATALOG, FACTS = "manifest.json", "catalog.json", "facts.json"
TARGET = re.compile(r"^[A-Za-z_][A-Za-z0-9_.-]{0,199}$")
"""Names of targets that can be names of folders; others are a matter of taste that nobody has."""
KEPT = 2
"""The newest, and the one before for whoever is just reading it."""
METADATA = re.compile(rb'\s*\{\s*"metadata"\s*:\s*')
HEAD_BYTES = 64 << 10


@dataclass(frozen=True)
class Kept:
    """One kept manifest. Its files never change."""

    folder: Path
    facts: ManifestFacts

    @property
    def manifest(self) -> Path:
        """dbt's manifest.json."""
        return self.folder / MANIFEST


def keep(project: str, target: str, made: Path, *, git_sha: str | None, task_id: str | None = None) -> None:
    """Keep what a successful dbt left in its target path `made`: its manifest, and its catalog if it wrote one."""
    if not TARGET.match(target) or not (made / MANIFEST).is_file():
        return
    metadata = _metadata(made / MANIFEST)
    moment = datetime.fromisoformat(str(metadata["generated_at"])).astimezone(UTC)
    facts = ManifestFacts(
        target=target,
        generated_at=moment,
        dbt_version=metadata.get("dbt_version"),
        git_sha=git_sha,
        invocation_id=metadata.get("invocation_id"),
        task_id=task_id,
    )
    folder = _folder(project) / target
    folder.mkdir(parents=True, exist_ok=True)
    version = folder / f"{moment:%Y%m%dT%H%M%S.%f}-{facts.invocation_id}"
    _place(made / MANIFEST, facts, version)
    catalog = folder / CATALOG if (made / CATALOG).is_file() else None
    if catalog is not None:
        put(made / CATALOG, catalog)
    for old in _versions(folder)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    if version.exists():
        shared_manifests.share(version, catalog=catalog, kept=KEPT)


def newest(project: str, target: str | None = None) -> Kept | None:
    """The newest manifest of a target, or of the project when none is named."""
    if target and not TARGET.match(target):
        return None
    shared_manifests.bring_newest(_folder(project))
    folders = [_folder(project) / target] if target else _targets(project)
    found = [versions[-1] for folder in folders if (versions := _versions(folder))]
    if not found:
        return None
    chosen = max(found, key=lambda each: each.name)
    return Kept(chosen, ManifestFacts.model_validate_json((chosen / FACTS).read_bytes()))


def get_newest(project: str, target: str | None = None) -> Kept:
    """As `newest`. Raises ApiError 404."""
    kept = newest(project, target)
    if kept is None:
        where = f" for the target '{target}'" if target else ""
        raise ApiError(
            404, f"dbt has not read '{project}' successfully{where} yet.", hint="Parse the project, or run it once."
        )
    return kept


def catalog_of(project: str, target: str) -> bytes | None:
    """What the last `docs generate` of a target found in the warehouse."""
    file = _folder(project) / target / CATALOG
    with suppress(FileNotFoundError):
        return shared_manifests.catalog_of(file) or file.read_bytes()
    return None


def put(source: Path, destination: Path) -> None:
    """Copy in one step: a reader sees the old file or the new one. A link will do: dbt's files are written once."""
    part = destination.with_name(f".{destination.name}.part")
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError:  # another file system
        shutil.copyfile(source, part)
    os.replace(part, destination)


def forget(project: str) -> None:
    """Delete all manifests and catalogs of a project."""
    shutil.rmtree(_folder(project), ignore_errors=True)
    shared_manifests.forget(_folder(project))


def _folder(project: str) -> Path:
    return settings().manifests / project


def _targets(project: str) -> list[Path]:
    folder = _folder(project)
    return [each for each in folder.iterdir() if each.is_dir()] if folder.is_dir() else []


def _versions(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*")) if folder.is_dir() else []


def _place(manifest: Path, facts: ManifestFacts, into: Path) -> None:
    temporary = Path(tempfile.mkdtemp(prefix=".new.", dir=into.parent))
    try:
        put(manifest, temporary / MANIFEST)
        (temporary / FACTS).write_text(facts.model_dump_json())
        if not into.exists():
            temporary.rename(into)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _metadata(manifest: Path) -> dict[str, Any]:
    """The manifest's metadata. dbt writes it first, so that most of the file need not be read."""
    with manifest.open("rb") as file:
        head = file.read(HEAD_BYTES)
    start = METADATA.match(head)
    if start is not None:
        with suppress(ValueError):
            return dict(json.JSONDecoder().raw_decode(head[start.end() :].decode(errors="ignore"))[0])
    return dict(json.loads(manifest.read_bytes())["metadata"])
