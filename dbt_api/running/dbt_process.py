"""How dbt is called: its arguments, its environment, its version. dbt itself is never imported here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib.metadata import distributions
from pathlib import Path

from dbt_api.errors import ApiError
from dbt_api.settings import settings

NOT_ADAPTERS = {"core", "adapters", "common", "extractor", "protos", "semantic-interfaces", "metricflow"}
LOG_OPTIONS = (
    *("--log-format", "json", "--log-level", "debug", "--log-level-file", "none"),
    *("--no-use-colors", "--no-use-colors-file", "--no-send-anonymous-usage-stats"),
)
PATH_VARIABLES = {"DBT_TARGET_PATH", "DBT_LOG_PATH"}
"""What differs between any two calls."""


@dataclass(frozen=True)
class DbtCall:
    """One dbt command of one project, in the dbt environment of that name."""

    project: str
    path: Path
    words: list[str]
    target: str
    environment: str
    cache: Path | None = None
    """dbt's parse cache to start from, when there is such a file."""
    client_variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the request's own."""

    @property
    def arguments(self) -> list[str]:
        """All that follows `dbt`.

        Our options stand before the words, and no word repeats one: dbt refuses an option on both sides of its command.
        """
        shared = (
            ["--partial-parse-file-path", str(self.cache)] if self.cache is not None and self.cache.exists() else []
        )
        return [*LOG_OPTIONS, *shared, *self.words]

    @property
    def command(self) -> list[str]:
        """The whole command line."""
        return [str(dbt_of(self.environment)), *self.arguments]

    def variables(self, folder: Path) -> dict[str, str]:
        """Only the variables that the settings allow, so that no secret of the server reaches a project's macros.

        Everything dbt writes goes below `folder`. Its target path is a variable because not all commands take the
        option.
        """
        allowed = settings().shown_to_dbt
        kept = {name: value for name, value in os.environ.items() if any(fnmatchcase(name, each) for each in allowed)}
        warehouse = settings().warehouse(self.project)
        warehouse.mkdir(parents=True, exist_ok=True)
        return {
            **kept,
            **self.client_variables,
            "PATH": os.pathsep.join([str(dbt_of(self.environment).parent), kept.get("PATH", os.defpath)]),
            "PILOTHOUSE_PROJECT_DATA": str(warehouse),
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
            "DO_NOT_TRACK": "1",
            "PYTHONUTF8": "1",
        }


def dbt_of(environment: str) -> Path:
    """The dbt command of an environment. Raises ApiError 422 for one that the settings don't name."""
    try:
        return settings().dbt_environments[environment]
    except KeyError:
        known = ", ".join(sorted(settings().dbt_environments))
        raise ApiError(422, f"There is no dbt environment '{environment}'.", hint=f"Those: {known}.") from None


def parse_cache(project: str, target: str) -> Path:
    """dbt's parse cache of a project and target, shared by its invocations."""
    return settings().partial_parses / f"{project}.{target}.msgpack"


def keep_parse_cache(made: Path, shared: Path) -> None:
    """Hand the cache that an invocation wrote to the next ones; a reader sees the old file or the new one."""
    if made.exists():
        shared.parent.mkdir(parents=True, exist_ok=True)
        os.replace(made, shared)


def installed(environment: str = "default") -> dict[str, str]:
    """Versions of dbt's packages in an environment: `core`, `duckdb`, …; read again when something was installed."""
    folders = site_packages(environment)
    return _installed(tuple((str(each), each.stat().st_mtime_ns) for each in folders))


def site_packages(environment: str) -> list[Path]:
    """Where an environment's packages lie; empty for a dbt that is no Python program."""
    return sorted(dbt_of(environment).parent.parent.glob("lib/python*/site-packages"))


@lru_cache(maxsize=32)
def _installed(folders: tuple[tuple[str, int], ...]) -> dict[str, str]:
    found = {each.metadata["Name"].lower(): each.version for each in distributions(path=[path for path, _ in folders])}
    return {name.removeprefix("dbt-"): version for name, version in found.items() if name.startswith("dbt-")}


def adapters(environment: str = "default") -> list[str]:
    """The warehouses that the installed adapters reach."""
    return sorted(set(installed(environment)) - NOT_ADAPTERS)
