"""The command line: `python -m dbt_api serve | worker | token | migrate | doctor`.

Exit status: 0 well, 1 a problem was found, 2 it may not start and one sentence says why, 3 counted as lost.
"""

import argparse
import logging
import re
import sys
from collections.abc import Callable

from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy.exc import OperationalError

from dbt_api.auth import cli as token
from dbt_api.settings import PREFIX, settings

Action = Callable[[argparse.Namespace], int]


def main(words: list[str] | None = None) -> int:
    """Read the command line and the settings, then do what is asked."""
    chosen = parser().parse_args(words)
    try:
        settings()
    except (ValidationError, SettingsError) as error:
        return _refuse(*_sentences(error))
    action: Action = chosen.action
    return action(chosen)


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    made = argparse.ArgumentParser(
        prog="python -m dbt_api", description="The dbt API. Settings are environment variables, see docs/dbt-api.md."
    )
    subparsers = made.add_subparsers(required=True, metavar="action")

    def add(name: str, action: Action, told: str) -> argparse.ArgumentParser:
        added = subparsers.add_parser(name, help=told, description=told)
        added.set_defaults(action=action)
        return added

    serving = add("serve", _serve, "Serve the API, and be a worker too.")
    serving.add_argument("--no-worker", action="store_true", help="Only serve; workers are other processes (Postgres).")
    add("worker", _worker, "Be a worker, with its health at /healthz, /ready and /metrics (Postgres).")
    migrating = add("migrate", _migrate, "Bring the database's schema to the newest version.")
    migrating.add_argument("--new-sealing-key", action="store_true", help="Let the present sealing key be the one.")
    add("doctor", _doctor, "Check settings, database, queue, disk, dbt, workers, clock; say what to do.")
    token.add_parser(subparsers)
    return made


def _serve(chosen: argparse.Namespace) -> int:
    if chosen.no_worker:
        settings().worker = False
    return _run(with_routes=True, alone=settings().worker)


def _worker(_: argparse.Namespace) -> int:
    settings().worker = True
    return _run(with_routes=False, alone=False)


def _run(*, with_routes: bool, alone: bool) -> int:
    from dbt_api.auth.first_token import ensure_token
    from dbt_api.logging_setup import set_up_logging
    from dbt_api.serving import serve
    from dbt_api.workers.registry import WorkerRefused
    from dbt_api.workers.service import service

    set_up_logging()
    if (problem := ensure_token()) is not None:
        return _refuse(problem)
    try:
        service.prepare(alone=alone)
    except WorkerRefused as refused:
        return _refuse(str(refused))
    except OperationalError as error:
        return _refuse(f"The database cannot be reached: {error.orig}")
    return serve(with_routes=with_routes)


def _migrate(chosen: argparse.Namespace) -> int:
    from dbt_api.database import migrate
    from dbt_api.sealing import OtherSealingKey, change_key

    logging.basicConfig(level=logging.WARNING)
    try:
        before, after = migrate()
        if chosen.new_sealing_key:
            change_key()
            _say("The present sealing key is this database's.")
    except OperationalError as error:
        return _refuse(f"The database cannot be reached: {error.orig}")
    except OtherSealingKey as other:
        return _refuse(str(other))
    unchanged = f"The schema is at version {after}; there was nothing to do."
    _say(unchanged if before == after else f"The schema went from version {before or 'none'} to {after}.")
    return 0


def _doctor(_: argparse.Namespace) -> int:
    from dbt_api.doctor import examine

    findings = examine()
    for finding in findings:
        _say(str(finding))
    return int(not all(finding.is_well for finding in findings))


def _sentences(error: ValidationError | SettingsError) -> list[str]:
    """What is wrong with each setting, by the name of its variable; never the value, which may be a secret."""
    if isinstance(error, SettingsError):
        name = next(iter(re.findall(r'field "(\w+)"', str(error))), "").upper()
        return [f'{PREFIX}{name}: lists are written as JSON, for example ["/srv/dbt"].']
    return [
        f"{PREFIX}{str(next(iter(each['loc']), '')).upper()}: {each['msg'].removeprefix('Value error, ')}."
        for each in error.errors(include_url=False, include_input=False)
    ]


def _refuse(*sentences: str) -> int:
    for sentence in sentences:
        print(sentence, file=sys.stderr)  # noqa: T201
    return 2


def _say(line: str) -> None:
    print(line)  # noqa: T201
