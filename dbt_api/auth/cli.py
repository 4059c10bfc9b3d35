"""`python -m dbt_api token …`: API tokens and password hashes, on the machine that has the database."""

import argparse
import getpass
import sys
from collections.abc import Callable
from functools import partial

from pydantic import ValidationError

from contracts.dbt_api import CreateToken, Scope
from dbt_api.auth.tokens import create_token, list_tokens, revoke_token
from dbt_api.auth.users import hash_password
from dbt_api.database import migrate
from dbt_api.errors import ApiError


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `token` and what can be done with it."""
    told = "Make, list and revoke API tokens; hash passwords for the users file."
    actions = subparsers.add_parser("token", help=told, description=told).add_subparsers(required=True)

    def add(name: str, act: Callable[[argparse.Namespace], None], told: str) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=told, description=told)
        added.set_defaults(action=partial(_carried_out, act))
        return added

    create = add("create", _create, "Make a token; it is printed once.")
    create.add_argument("name")
    create.add_argument("--scope", action="append", required=True, choices=[scope.value for scope in Scope])
    create.add_argument("--project", help="the only project that it may see and touch")
    life = create.add_mutually_exclusive_group()
    life.add_argument("--days", type=int, default=90, help="until it expires (90)")
    life.add_argument("--forever", dest="days", action="store_const", const=None)
    add("list", _list, "Show all tokens.")
    add("revoke", _revoke, "Delete a token.").add_argument("prefix")
    add("hash-password", _hash_password, "What to write into the users file; asks, or reads a pipe.")


def _carried_out(act: Callable[[argparse.Namespace], None], given: argparse.Namespace) -> int:
    """0 when done, 2 when it cannot be done, with a sentence why."""
    try:
        act(given)
    except ValidationError as error:
        print("; ".join(each["msg"] for each in error.errors()), file=sys.stderr)  # noqa: T201
        return 2
    except ApiError as error:
        print(error.detail, file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _create(given: argparse.Namespace) -> None:
    wanted = CreateToken(name=given.name, scopes=given.scope, project=given.project, expires_in_days=given.days)
    migrate()
    print(create_token(wanted, created_by=f"{getpass.getuser()} (command line)").secret)  # noqa: T201


def _list(_: argparse.Namespace) -> None:
    migrate()
    for token in list_tokens():
        expires = f"{token.expires_at:%Y-%m-%d}" if token.expires_at else "never"
        used = f"{token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "never"
        scopes = " ".join(token.scopes)
        print(f"{token.prefix}  {token.name}  {token.project or '*'}  {scopes}  expires {expires}  used {used}")  # noqa: T201


def _revoke(given: argparse.Namespace) -> None:
    migrate()
    revoke_token(given.prefix)


def _hash_password(_: argparse.Namespace) -> None:
    password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not password:
        raise ApiError(422, "The password is empty.")
    print(hash_password(password))  # noqa: T201
