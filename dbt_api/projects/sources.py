"""Makes a project's files ready, whatever its source: template, folder, git, upload. Every way is safe to repeat."""

import hashlib
import os
import shutil
from collections.abc import Iterator
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
from dbt_api.projects import git, history, manifests, template, upload
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


def _made_ready(name: str, source: ProjectSource, environment: str) -> ProjectRow:
    match source:
        case TemplateSource():
            path, commit = _from_template(name, source), None
        case FolderSource():
            path, commit = _from_folder(source)
        case GitSource():
            path, commit = _from_git(name, source)
        case UploadSource():
            path, commit = _from_upload(name, source), None
    if not _is_in_use(name, source, path):
        _install_packages(name, path, environment)
    fingerprint = _fingerprint(path)
    return save_project(name, source, path, git_sha=commit, fingerprint=fingerprint, environment=environment)


def remove_files(name: str) -> None:
    """Delete the files that we made for a project, and what we know of it. Warehouse file and invocations stay."""
    shutil.rmtree(settings().projects / name, ignore_errors=True)
    for cache in settings().partial_parses.glob(f"{name}.*.msgpack"):
        cache.unlink(missing_ok=True)
    manifests.forget(name)
    history.forget(name)


def _from_template(name: str, source: TemplateSource) -> Path:
    folder = settings().projects / name / "template"
    template.write_project(name, source.warehouse, folder)
    known = find_project(name)
    if known is not None and known.source != source.model_dump(mode="json"):
        template.change_warehouse(name, source.warehouse, folder)
    return folder


def _from_folder(source: FolderSource) -> tuple[Path, str | None]:
    path = Path(source.path).expanduser()
    if not path.is_absolute():
        raise ApiError(422, "The folder must be an absolute path on the dbt API's machine.")
    git.check_root(path)
    if not path.is_dir():
        raise ApiError(422, f"There is no folder '{path}' on the dbt API's machine.")
    return _checked(path.resolve(), f"'{path}'"), git.commit_of(path)


def _from_git(name: str, source: GitSource) -> tuple[Path, str]:
    into = settings().projects / name / "git"
    checkout, commit = git.checkout(source, into)
    path = (checkout / source.subfolder).resolve()
    if not path.is_relative_to(checkout.resolve()) or not path.is_dir():
        raise ApiError(422, f"The repository has no folder '{source.subfolder}' on the branch '{source.branch}'.")
    _remove_old_folders(name, into, keep=checkout)
    return _checked(path, f"'{source.subfolder}'" if source.subfolder else "the repository's top folder"), commit


def _from_upload(name: str, source: UploadSource) -> Path:
    path = upload.kept(name, source)
    _remove_old_folders(name, upload.folder_of(name), keep=path)
    return path


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


def _is_in_use(name: str, source: ProjectSource, path: Path) -> bool:
    """Whether this commit or upload is the one in place: its packages are installed, and dbt may be reading them."""
    known = find_project(name)
    return isinstance(source, GitSource | UploadSource) and known is not None and known.path == str(path.resolve())


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
