"""How dbt is called: its arguments, its environment, its version. dbt itself is never imported here."""

import os
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

from dbt_api.settings import settings

NOT_ADAPTERS = {"core", "adapters", "common", "extractor", "protos", "semantic-interfaces", "metricflow"}
LOG_OPTIONS = (
    *("--log-format", "json", "--log-level", "debug", "--log-level-file", "none"),
    *("--no-use-colors", "--no-use-colors-file", "--no-send-anonymous-usage-stats"),
)


def dbt_command(words: list[str], *, parse_cache: Path | None) -> list[str]:
    """The whole command line for dbt's words.

    Our options stand before them, and no word repeats one: dbt refuses an option on both sides of its command.
    """
    shared = ["--partial-parse-file-path", str(parse_cache)] if parse_cache is not None and parse_cache.exists() else []
    return [str(settings().dbt), *LOG_OPTIONS, *shared, *words]


def dbt_environment(project: str, *, folder: Path) -> dict[str, str]:
    """Only the variables that the settings allow, so that no secret of the server reaches a project's macros.

    Everything dbt writes goes below `folder`. Its target path is a variable because not all commands take the option.
    """
    allowed = settings().environment_allowed
    kept = {name: value for name, value in os.environ.items() if any(fnmatchcase(name, each) for each in allowed)}
    warehouse = settings().warehouse(project)
    warehouse.mkdir(parents=True, exist_ok=True)
    return kept | {
        "PATH": os.pathsep.join([str(settings().dbt.parent), kept.get("PATH", os.defpath)]),
        "PILOTHOUSE_PROJECT_DATA": str(warehouse),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DO_NOT_TRACK": "1",
        "PYTHONUTF8": "1",
    }


def parse_cache(project: str, target: str) -> Path:
    """dbt's parse cache of a project and target, shared by its invocations."""
    return settings().partial_parses / f"{project}.{target}.msgpack"


def keep_parse_cache(made: Path, shared: Path) -> None:
    """Hand the cache that an invocation wrote to the next ones; a reader sees the old file or the new one."""
    if made.exists():
        shared.parent.mkdir(parents=True, exist_ok=True)
        os.replace(made, shared)


@cache
def installed() -> dict[str, str]:
    """Versions of dbt's packages in dbt's environment: `core`, `duckdb`, …"""
    folders = [str(each) for each in settings().dbt.parent.parent.glob("lib/python*/site-packages")]
    found = {each.metadata["Name"].lower(): each.version for each in distributions(path=folders)}
    return {name.removeprefix("dbt-"): version for name, version in found.items() if name.startswith("dbt-")}


def adapters() -> list[str]:
    """The warehouses that the installed adapters reach."""
    return sorted(set(installed()) - NOT_ADAPTERS)
