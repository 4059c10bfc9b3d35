"""The commits of a project's repository between two of them. Of a clone only the history is fetched, no files."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from contracts.dbt_api import Commit, Commits, FolderSource, GitSource, ProjectSource
from dbt_api.errors import ApiError
from dbt_api.projects import git
from dbt_api.tables import ProjectRow

MOST = 100
DEPTH = 1000
"""So far back a clone's history is looked at."""
FIELDS = ("%H", "%an", "%cI", "%s")
SOURCE: TypeAdapter[ProjectSource] = TypeAdapter(ProjectSource)


def between(project: ProjectRow, since: str, until: str) -> Commits:
    """What came after `since` and up to `until`, newest first. Raises ApiError 422."""
    source = SOURCE.validate_python(project.source)
    if isinstance(source, GitSource):
        with _history(source) as repository:
            return _log(repository, since, until)
    if isinstance(source, FolderSource):
        return _log(Path(project.path), since, until, ".")
    raise ApiError(422, f"'{project.name}' does not come from a git repository.")


@contextmanager
def _history(source: GitSource) -> Iterator[Path]:
    """A bare clone of the branch's commits; servers that cannot leave out the files send them too."""
    git.check_url(source.url)
    with tempfile.TemporaryDirectory(prefix="history.") as folder:
        options = ("--bare", "--filter=tree:0", "--depth", str(DEPTH), "--single-branch", "--branch", source.branch)
        git.checked("clone", *options, "--", source.url, folder)
        yield Path(folder)


def _log(repository: Path, since: str, until: str, *paths: str) -> Commits:
    """`paths` leave out what changed nothing below them."""
    if _lacks(repository, until):
        raise ApiError(422, f"The repository has no commit {until} on its branch.", hint="It may have been rewritten.")
    is_known = not _lacks(repository, since)
    span = f"{since}..{until}" if is_known else until
    form = "--format=" + "%x1f".join(FIELDS)
    found = git.checked("-C", str(repository), "log", form, f"--max-count={MOST + 1}", span, "--", *paths)
    commits = [_commit(line) for line in found.splitlines() if line]
    return Commits(commits=commits[:MOST], complete=is_known and len(commits) <= MOST)


def _lacks(repository: Path, commit: str) -> bool:
    return git.run_git("-C", str(repository), "cat-file", "-e", f"{commit}^{{commit}}").returncode != 0


def _commit(line: str) -> Commit:
    sha, author, at, subject = line.split("\x1f", 3)
    return Commit(sha=sha, author=author, at=datetime.fromisoformat(at), subject=subject)
