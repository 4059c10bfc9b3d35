"""Checks out a branch of a git repository, each commit into a folder of its own, so that nothing changes under a run.

Prompts are off, only https, ssh and file are spoken, and a url that carries a password is refused: it would be stored.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from contracts.dbt_api import GitSource
from dbt_api.errors import ApiError
from dbt_api.settings import settings

SCP_STYLE = re.compile(r"^[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:[^\s]+$")
SAFE = ("-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "credential.interactive=false")
NO_BRANCH = 2
"""Exit status of `git ls-remote --exit-code` when nothing matches."""


def checkout(source: GitSource, into: Path) -> tuple[Path, str]:
    """The folder of the branch's newest commit below `into`, and the commit. Raises ApiError 422 with the reason."""
    commit = newest_commit(source)
    if not (into / commit).exists():
        commit = _clone(source, into)
    return into / commit, commit


def check_url(url: str) -> None:
    """Refuse what git would take for an option, another protocol, or a place to leave a password."""
    if url.startswith("-") or any(character.isspace() or ord(character) < 32 for character in url):
        raise ApiError(422, "The git url is not valid.")
    parts = urlsplit(url)
    if parts.password or (parts.scheme in ("http", "https") and parts.username):
        raise ApiError(
            422,
            "The git url holds a user name or password, which would be stored and shown.",
            hint="Give the server's user a git credential helper or an ssh key instead.",
        )
    if parts.scheme == "file" or url.startswith("/"):
        check_root(Path(parts.path or url))
    elif parts.scheme not in ("https", "ssh") and not SCP_STYLE.match(url):
        raise ApiError(422, "The git url must begin with https://, ssh://, file:// or be like git@host:path.")


def check_root(path: Path) -> None:
    """Refuse a folder outside of those that the settings allow."""
    roots = settings().folder_roots
    if not any(path.resolve().is_relative_to(root.resolve()) for root in roots):
        allowed = ", ".join(str(root) for root in roots)
        raise ApiError(
            422, f"'{path}' lies outside of the folders that the dbt API may read.", hint=f"Those: {allowed}."
        )


def commit_of(folder: Path) -> str | None:
    """The commit that a folder is at, if it lies in a git repository."""
    try:
        done = run_git("-C", str(folder), "rev-parse", "HEAD")
    except ApiError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def newest_commit(source: GitSource) -> str:
    """The commit that the branch is at now. Raises ApiError 422."""
    check_url(source.url)
    done = run_git("ls-remote", "--exit-code", "--", source.url, f"refs/heads/{source.branch}")
    if done.returncode == NO_BRANCH:
        raise ApiError(422, f"The repository has no branch '{source.branch}'.", hint="Check the branch's name.")
    if done.returncode != 0:
        raise ApiError(422, _reason(done.stderr), hint="Check the url, and that the server's user may read it.")
    return done.stdout.split()[0]


def _clone(source: GitSource, into: Path) -> str:
    """Clone into a folder named by the commit that came: the branch may have moved since its tip was asked for."""
    into.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".clone.", dir=into))
    options = ("--depth", "1", "--single-branch", "--no-tags", "--branch", source.branch)
    try:
        done = run_git("clone", *options, "--", source.url, str(temporary / "repository"))
        if done.returncode != 0:
            raise ApiError(422, _reason(done.stderr))
        commit = run_git("-C", str(temporary / "repository"), "rev-parse", "HEAD").stdout.strip()
        if not (into / commit).exists():
            os.replace(temporary / "repository", into / commit)
        return commit
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def checked(*words: str) -> str:
    """What git says. Raises ApiError 422 with its reason."""
    done = run_git(*words)
    if done.returncode != 0:
        raise ApiError(422, _reason(done.stderr))
    return done.stdout


def _reason(stderr: str) -> str:
    text = stderr.strip()
    host = re.search(r"Could not resolve host(?:name)?:? ([\w.-]+)", text, re.IGNORECASE)
    if host:
        return f"The git host '{host[1].rstrip('.:')}' is not known here (no such name, or no network)."
    if re.search(r"Failed to connect|Connection (refused|timed out)|unreachable", text):
        return f"The git host cannot be reached: {text.splitlines()[-1]}"
    if re.search(r"not found|does not (appear|exist)|Authentication|could not read Username|Permission denied", text):
        return f"The repository does not exist or may not be read: {text.splitlines()[0]}"
    return f"git failed: {text}"


def run_git(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run git as safely as we can, whatever it ends with. Raises ApiError 422 when it gives no answer."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PILOTHOUSE_", "GIT_"))}
    environment |= {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "https:ssh:file",
        "GIT_ASKPASS": "true",
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=10",
        "LC_ALL": "C",
    }
    try:
        return subprocess.run(
            ["git", *SAFE, *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=settings().git_timeout_seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise ApiError(422, f"git gave no answer within {settings().git_timeout_seconds:g} s.") from error
    except FileNotFoundError as error:
        raise ApiError(422, "git is not installed on the dbt API's machine.") from error
