"""Whether a project is still what was parsed: one hash over all that dbt's parse reads.

Contents, not times: a file that is written again unchanged changes nothing. A file is read again when its stat
differs, or when it was so young at the last reading that a later change might not show in its stat.
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from dbt_api.running.command import option
from dbt_api.running.dbt_process import PATH_VARIABLES, DbtCall, site_packages

SUFFIXES = (".sql", ".yml", ".yaml", ".csv", ".md", ".py", ".json", ".j2", ".jinja", ".jinja2")
NAMES = (".env", ".dbtignore")
WRITTEN_BY_DBT = {"target", "logs", ".git"}
YOUNG_NS = 2_000_000_000

Stat = tuple[int, int, int, int]
Known = dict[str, tuple[Stat, bool, bytes]]
"""Path → stat, whether the stat can be trusted, hash of the content."""

_known: dict[Path, Known] = {}
_turn = threading.Lock()


def parse_key(call: DbtCall) -> str:
    """All that a parse depends on: files, environment variables, the options that it sees, and dbt itself."""
    variables = {name: value for name, value in call.variables(Path()).items() if name not in PATH_VARIABLES}
    project = fingerprint(call.path, variables.get("HOME", ""))
    dbt = [each.stat().st_mtime_ns for each in site_packages(call.environment)]
    seen = [project, str(call.path), sorted(variables.items()), parse_words(call.words), dbt]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def parse_words(words: list[str]) -> list[str]:
    """Those of dbt's options that change what a parse finds."""
    kept: list[str] = []
    for names in (("--vars",), ("--target", "-t"), ("--profile",)):
        value = option(words, *names)
        kept += [names[0], value] if value is not None else []
    return kept


def fingerprint(project: Path, home: str) -> str:
    """The hash of a project's files, its packages, the user's profiles and the `.env` file that dbt would load."""
    with _turn:
        before, now = _known.get(project, {}), {}
        whole = hashlib.sha256()
        for path, found in sorted(_files(project, home)):
            now[path] = _entry(path, found, before.get(path))
            whole.update(path.encode() + b"\0" + now[path][2])
        _known[project] = now
    return whole.hexdigest()


def _files(project: Path, home: str) -> Iterator[tuple[str, os.stat_result]]:
    yield from _below(str(project), WRITTEN_BY_DBT, set())
    outside = [Path(home, ".dbt", "profiles.yml"), *(folder / ".env" for folder in project.parents)]
    for path in outside:
        try:
            yield str(path), path.stat()
        except OSError:
            continue


def _below(folder: str, left_out: set[str], seen: set[tuple[int, int]]) -> Iterator[tuple[str, os.stat_result]]:
    """Files below a folder. Links are followed, because that is how dbt installs local packages; circles are not."""
    try:
        itself = os.stat(folder)
        entries = list(os.scandir(folder))
    except OSError:
        return
    if (itself.st_dev, itself.st_ino) in seen:
        return
    seen.add((itself.st_dev, itself.st_ino))
    for entry in entries:
        try:
            if entry.is_dir():
                if entry.name not in left_out:
                    yield from _below(entry.path, set(), seen)
            elif entry.name.endswith(SUFFIXES) or entry.name in NAMES:
                yield entry.path, entry.stat()
        except OSError:
            continue


def _entry(path: str, found: os.stat_result, known: tuple[Stat, bool, bytes] | None) -> tuple[Stat, bool, bytes]:
    stat = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino)
    if known is not None and known[:2] == (stat, True):
        return known
    old = time.time_ns() - found.st_ctime_ns > YOUNG_NS
    try:
        with open(path, "rb") as file:
            return stat, old, hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return stat, False, b""
