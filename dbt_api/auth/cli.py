"""`python -m dbt_api token …`: API tokens and password hashes, on the machine that has the database."""

import argparse
import getpass
import sys

from pydantic import ValidationError

from contracts.dbt_api import CreateToken, Scope
from dbt_api.auth.tokens import create_token, list_tokens, revoke_token
from dbt_api.auth.users import hash_password
from dbt_api.database import migrate
from dbt_api.errors import ApiError


def run_token_command(words: list[str]) -> int:
    """Do what the words behind `token` say. 0 when done, 2 when they cannot be done, with a sentence why."""
    given = _parser().parse_args(words)
    try:
        given.act(given)
    except ValidationError as error:
        print("; ".join(each["msg"] for each in error.errors()), file=sys.stderr)  # noqa: T201
        return 2
    except ApiError as error:
        print(error.detail, file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dbt_api token", description="API tokens of the dbt API.")
    actions = parser.add_subparsers(required=True)
    create = actions.add_parser("create", help="make a token; it is printed once")
    create.set_defaults(act=_create)
    create.add_argument("name")
    create.add_argument("--scope", action="append", required=True, choices=[scope.value for scope in Scope])
    create.add_argument("--project", help="the only project that it may see and touch")
    life = create.add_mutually_exclusive_group()
    life.add_argument("--days", type=int, default=90, help="until it expires (90)")
    life.add_argument("--forever", dest="days", action="store_const", const=None)
    actions.add_parser("list", help="show all tokens").set_defaults(act=_list)
    revoke = actions.add_parser("revoke", help="delete a token")
    revoke.set_defaults(act=_revoke)
    revoke.add_argument("prefix")
    hashing = actions.add_parser("hash-password", help="what to write into the users file; asks, or reads a pipe")
    hashing.set_defaults(act=_hash_password)
    return parser


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
