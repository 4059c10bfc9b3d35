"""Makes a project's files ready, whatever its source: template, folder, git, upload. Every way is safe to repeat."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter

from contracts.dbt_api import (
    FolderSource,
    GitSource,
    InvocationState,
    ProjectSource,
    TemplateSource,
    UploadSource,
)
from dbt_api import store
from dbt_api.errors import ApiError
from dbt_api.projects import bundles, git, history, manifests, template, upload
from dbt_api.projects.dbt_answer import dbt_answer
from dbt_api.projects.locks import changing
from dbt_api.projects.profile import read_profile
from dbt_api.projects.registry import find_project, get_project, save_project
from dbt_api.running.dbt_process import DbtCall, dbt_of
from dbt_api.settings import settings
from dbt_api.tables import ProjectRow

PACKAGE_FILES = ("packages.yml", "dependencies.yml")
ERRORS_SHOWN = 3
READ_BY_DBT = (".sql", ".yml", ".yaml", ".csv", ".md", ".py")
NOT_SOURCES = {"target", "logs", "dbt_packages", "dbt_internal_packages"}
SOURCE: TypeAdapter[ProjectSource] = TypeAdapter(ProjectSource)


@dataclass(frozen=True)
class Made:
    """A project's files on this host: the dbt project, and all that belongs to it if we made it, as a checkout."""

    path: Path
    root: Path | None
    commit: str | None = None


def make_ready(name: str, source: ProjectSource, *, environment: str = "default") -> ProjectRow:
    """The registered project. Raises ApiError 422 with what is wrong with the source or the environment."""
    dbt_of(environment)
    with changing(name):
        return _made_ready(name, source, environment)


def take_upload(name: str, archive: BinaryIO, *, filename: str) -> ProjectRow:
    """The project with an archive's files in place of those before. Raises ApiError 422, and then nothing changed."""
    with changing(name):
        known = find_project(name)
        source = upload.keep(name, archive, filename=filename)
        return _made_ready(name, source, known.environment if known is not None else "default")


def sync(name: str) -> tuple[ProjectRow, ProjectRow]:
    """Look at the source again: the project before and after. Raises ApiError 404, 422."""
    with changing(name):
        before = get_project(name)
        return before, _made_ready(name, SOURCE.validate_python(before.source), before.environment)


def differ(before: ProjectRow, after: ProjectRow) -> bool:
    """Whether a project's files changed."""
    if before.bundle and after.bundle:
        return before.bundle != after.bundle
    return (before.path, before.git_sha, before.fingerprint) != (after.path, after.git_sha, after.fingerprint)


def _made_ready(name: str, source: ProjectSource, environment: str) -> ProjectRow:
    known = find_project(name)
    if known is not None and _is_published(known, source):
        known.environment = environment
        return save_project(known)
    made = _made(name, source)
    if not _is_in_use(known, source, made.path):
        _install_packages(name, made.path, environment)
    row = ProjectRow(
        name=name,
        source=source.model_dump(mode="json"),
        path=str(made.path.resolve()),
        environment=environment,
        git_sha=made.commit,
        fingerprint=_fingerprint(made.path),
    )
    if made.root is not None and settings().files_url is not None:
        row.bundle = bundles.publish(name, made.root)
        row.bundle_folder = made.path.resolve().relative_to(made.root.resolve()).as_posix()
    saved = save_project(row)
    with suppress(ApiError):  # what is left over goes the next time
        bundles.forget(name, but={row.bundle, known.bundle if known is not None else None})
    return saved


def _made(name: str, source: ProjectSource) -> Made:
    match source:
        case TemplateSource():
            return _from_template(name, source)
        case FolderSource():
            return _from_folder(source)
        case GitSource():
            return _from_git(name, source)
        case UploadSource():
            return _from_upload(name, source)


def _is_published(known: ProjectRow, source: ProjectSource) -> bool:
    """Whether all hosts have these files already, so that a server which did not make them need not make them again."""
    if known.source != source.model_dump(mode="json") or not bundles.exists(known):
        return False
    match source:
        case TemplateSource():
            return not _template_folder(known.name).exists()
        case GitSource():
            return git.newest_commit(source) == known.git_sha
        case _:
            return True


def remove_files(name: str) -> None:
    """Delete the files that we made for a project, and what we know of it. Warehouse file and invocations stay.

    Raises ApiError 503, and then nothing is deleted, while the shared storage cannot be reached.
    """
    bundles.forget(name)
    shutil.rmtree(settings().projects / name, ignore_errors=True)
    for cache in settings().partial_parses.glob(f"{name}.*.msgpack"):
        cache.unlink(missing_ok=True)
    manifests.forget(name)
    history.forget(name)


def _template_folder(name: str) -> Path:
    return settings().projects / name / "template"


def _from_template(name: str, source: TemplateSource) -> Made:
    folder = _template_folder(name)
    template.write_project(name, source.warehouse, folder)
    known = find_project(name)
    if known is not None and known.source != source.model_dump(mode="json"):
        template.change_warehouse(name, source.warehouse, folder)
    return Made(folder, folder)


def _from_folder(source: FolderSource) -> Made:
    path = Path(source.path).expanduser()
    if not path.is_absolute():
        raise ApiError(422, "The folder must be an absolute path on the dbt API's machine.")
    git.check_root(path)
    if not path.is_dir():
        raise ApiError(422, f"There is no folder '{path}' on the dbt API's machine.")
    return Made(_checked(path.resolve(), f"'{path}'"), None, git.commit_of(path))


def _from_git(name: str, source: GitSource) -> Made:
    into = settings().projects / name / "git"
    checkout, commit = git.checkout(source, into)
    path = (checkout / source.subfolder).resolve()
    if not path.is_relative_to(checkout.resolve()) or not path.is_dir():
        raise ApiError(422, f"The repository has no folder '{source.subfolder}' on the branch '{source.branch}'.")
    _remove_old_folders(name, into, keep=checkout)
    _checked(path, f"'{source.subfolder}'" if source.subfolder else "the repository's top folder")
    return Made(path, checkout, commit)


def _from_upload(name: str, source: UploadSource) -> Made:
    root, path = upload.kept(name, source)
    _remove_old_folders(name, upload.folder_of(name), keep=path)
    return Made(path, root)


def _checked(path: Path, called: str) -> Path:
    if not (path / "dbt_project.yml").is_file():
        raise ApiError(
            422, f"There is no dbt_project.yml in {called}.", hint="Name the folder of the dbt project itself."
        )
    return path


def _remove_old_folders(name: str, into: Path, *, keep: Path) -> None:
    """Delete checkouts or uploads that nobody can be reading any more."""
    known = find_project(name)
    used = [keep, Path(known.path)] if known is not None else [keep]
    if store.count(InvocationState.STARTED, project=name) == 0:
        for folder in into.iterdir():
            if not any(each.is_relative_to(folder) for each in used):
                shutil.rmtree(folder, ignore_errors=True)


def _is_in_use(known: ProjectRow | None, source: ProjectSource, path: Path) -> bool:
    """Whether this commit or upload is the one in place: its packages are installed, and dbt may be reading them.

    Bundles are read elsewhere, and the same path may be another host's.
    """
    is_apart = isinstance(source, GitSource | UploadSource) and settings().files_url is None
    return is_apart and known is not None and known.path == str(path.resolve())


def _install_packages(name: str, path: Path, environment: str) -> None:
    if not any((path / file).exists() for file in PACKAGE_FILES):
        return
    call = DbtCall(name, path, ["deps"], read_profile(path).default_target, environment)
    with dbt_answer(call) as answer:
        if answer.exit_code != 0:
            said = [event.message for event in answer.events if event.level == "error" or not event.name]
            raise ApiError(
                422,
                f"`dbt deps` failed: {' '.join(said[-ERRORS_SHOWN:]).strip()}",
                hint="Check packages.yml, and that the dbt API's machine reaches the packages' hosts.",
            )


def _fingerprint(path: Path) -> str:
    """Changes when a file that dbt reads comes, goes or is written."""
    digest = hashlib.sha256()
    for file in _source_files(path):
        try:
            facts = file.lstat()
        except FileNotFoundError:  # taken away as we look
            continue
        digest.update(f"{file.relative_to(path)}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode(errors="replace"))
    return digest.hexdigest()


def _source_files(path: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(each for each in folders if each not in NOT_SOURCES and not each.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(READ_BY_DBT))
