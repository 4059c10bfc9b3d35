"""The table of everything the stack runs: command, environment, what must be ready first, how readiness shows."""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from stack import airflow, checks
from stack.environments import AIRFLOW, lock_hash
from stack.places import HOST, ROOT, Places
from stack.secrets import Secrets

MARKER = "PILOTHOUSE_STACK"
"""Every process of a stack carries its data folder in this variable, so that none can get lost."""

ASTRAY = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "AIRFLOW_")
Ready = Callable[[datetime], bool]


@dataclass(frozen=True)
class Process:
    """A child of the supervisor: a server that stays, or a step that ends by itself."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)
    after: tuple[str, ...] = ()
    """Names of the processes that must be ready (a step: done) before this one starts."""
    ready: Ready | None = None
    """Gets the time of the start; None: ready as soon as it is started."""
    is_step: bool = False
    """Done when it ends with status 0."""
    when_done: Callable[[], object] | None = None
    """Called once the step has ended well."""
    may_fail: bool = False
    """A failure of this step is told but stops nothing."""
    in_background: bool = False
    """The stack counts as ready without it."""
    stop_round: int = 1
    """Those of a lower round are stopped first."""
    grace_seconds: float = 12
    """Between the request to stop and the kill."""


PARTS = ("dbt-api", "airflow", "console")
"""What can be started alone: the dbt API server, Airflow's processes, the console with its collector."""


def table(places: Places, secrets: Secrets, parts: Collection[str] = PARTS) -> list[Process]:
    """All processes and steps of these parts; nothing waits for a part that is not started here."""
    everything = [
        *(_dbt_api(places) if "dbt-api" in parts else ()),
        *(_airflow(places, secrets) if "airflow" in parts else ()),
        *(_console(places, parts) if "console" in parts else ()),
        *([_example(places)] if set(parts) == set(PARTS) else ()),
    ]
    names = {process.name for process in everything}
    return [replace(process, after=tuple(name for name in process.after if name in names)) for process in everything]


def _base(places: Places, environment: str, **ours: str) -> dict[str, str]:
    """What every child gets: the caller's variables less those that would lead it astray, and ours."""
    binaries = places.python(environment).parent
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(ASTRAY)},
        MARKER: str(places.data),
        "PILOTHOUSE_DATA": str(places.data),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        **ours,
    }


def _python(places: Places, environment: str, *arguments: str) -> tuple[str, ...]:
    return (str(places.python(environment)), *arguments)


def _dbt_api(places: Places) -> list[Process]:
    environment = _base(
        places,
        "dbt",
        PILOTHOUSE_DBT_API_DATA=str(places.data / "dbt_api"),
        PILOTHOUSE_DBT_API_HOST=HOST,
        PILOTHOUSE_DBT_API_PORT=str(places.dbt_api.number),
    )
    environment.pop("PILOTHOUSE_DBT_API_TOKEN", None)  # the server reads the generated one
    return [
        Process(
            "dbt-api",
            _python(places, "dbt", "-m", "dbt_api", "serve"),
            environment,
            ready=lambda _: checks.answers(f"{places.dbt_api.url}/ready"),
            stop_round=2,
            grace_seconds=20,
        )
    ]


def _airflow(places: Places, secrets: Secrets) -> list[Process]:
    environment = _base(places, "airflow", **airflow.environment(places, secrets))

    def part(name: str, *flags: str, component: str, after: tuple[str, ...], in_background: bool = False) -> Process:
        ready = partial(checks.airflow_component_ready, places.airflow.url, component)
        command = _python(places, "airflow", "-m", "airflow", name, *flags)
        return Process(f"airflow-{name}", command, environment, after, ready, in_background=in_background)

    migrated = ("airflow-migration",)
    return [
        *_airflow_migration(places, environment),
        Process(
            "airflow-api-server",
            _python(places, "airflow", "-m", "airflow", "api-server"),
            environment | airflow.database(places, patience_seconds=4),
            migrated,
            ready=lambda _: checks.airflow_api_ready(places.airflow.url),
            stop_round=2,
        ),
        part("scheduler", "--skip-serve-logs", component="scheduler", after=migrated),
        part("dag-processor", component="dag_processor", after=migrated),
        # Nothing of ours defers, so the triggerer must not slow down the start of the others.
        part("triggerer", "--skip-serve-logs", component="triggerer",
             after=("airflow-scheduler", "airflow-dag-processor", "console", "example"), in_background=True),
    ]  # fmt: skip


def _airflow_migration(places: Places, environment: dict[str, str]) -> list[Process]:
    """Airflow's own migration takes seconds even when there is nothing to do, so it is done once for a lock."""
    stamp = places.airflow_home / "migrated"
    wanted = lock_hash(ROOT / AIRFLOW.locks[0])
    if stamp.is_file() and stamp.read_text() == wanted and (places.airflow_home / "airflow.db").is_file():
        return []
    command = _python(places, "airflow", "-m", "airflow", "db", "migrate")
    done = partial(stamp.write_text, wanted)
    return [Process("airflow-migration", command, environment, is_step=True, when_done=done)]


def _console_environment(places: Places, parts: Collection[str]) -> dict[str, str]:
    """The console's settings. Whatever is started here is also used; the rest is where the caller's settings say."""
    environment = {"PILOTHOUSE_CONSOLE_URL": places.console.url, **_base(places, "console")}
    for part, prefix, url in (
        ("airflow", "PILOTHOUSE_AIRFLOW_", places.airflow.url),
        ("dbt-api", "PILOTHOUSE_DBT_API_", places.dbt_api.url),
    ):
        if part in parts:
            environment = {name: value for name, value in environment.items() if not name.startswith(prefix)}
            environment[f"{prefix}URL"] = url
    return environment


def _console(places: Places, parts: Collection[str]) -> list[Process]:
    environment = _console_environment(places, parts)
    migrated = ("console-migration",)
    streamlit = ("-m", "streamlit", "run", "app.py", "--server.address", HOST,
                 "--server.port", str(places.console.number), "--server.headless", "true")  # fmt: skip
    return [
        Process(
            "console-migration",
            _python(places, "console", "-c", "from services.database import migrate; migrate()"),
            environment,
            is_step=True,
        ),
        Process("collector", _python(places, "console", "-m", "services.collector"), environment, migrated),
        Process(
            "console",
            _python(places, "console", *streamlit),
            environment,
            migrated,
            ready=lambda _: checks.answers(f"{places.console.url}/_stcore/health"),
        ),
    ]


def _example(places: Places) -> Process:
    """Registers the example project, through the same steps as a person's project, unless that was done before."""
    return Process(
        "example",
        _python(places, "console", "-m", "services.projects", "register-example"),
        _console_environment(places, PARTS),
        ("console-migration", "dbt-api", "airflow-api-server", "airflow-scheduler", "airflow-dag-processor"),
        is_step=True,
        may_fail=True,
    )
