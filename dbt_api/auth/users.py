"""Users with passwords, from a settings file: {"ada": {"password": "scrypt$…", "scopes": ["run:read"]}}.

Passwords are chosen by people, so their hashes are salted and slow to compute. A change of the file counts from the
next start on.
"""

import base64
import hashlib
import hmac
import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints, TypeAdapter, ValidationError

from contracts.dbt_api import Grant, LoginName
from dbt_api.auth.credentials import Credentials
from dbt_api.auth.identity import ROOT_NAME, Identity

COST, BLOCK, PARALLEL = 1 << 14, 8, 5
"""OWASP's choice for 16 MiB of memory: some 0.2 s of one core."""
FORM_START = f"scrypt${COST}${BLOCK}${PARALLEL}$"
FORM = f"^{re.escape(FORM_START)}[A-Za-z0-9+/]{{22}}==[$][A-Za-z0-9+/]{{43}}=$"
NOBODY = f"{FORM_START}{'A' * 22}==${'A' * 43}="
"""Checked for an unknown user, so that the time taken doesn't tell who exists."""


class User(Grant):
    """One entry of the file."""

    password: Annotated[str, StringConstraints(pattern=FORM)]


Users = dict[LoginName, User]


def read_users(path: Path | None) -> Users:
    """The users of the file. Ends the program with a plain sentence when it cannot be read."""
    if path is None:
        return {}
    try:
        users = TypeAdapter(Users).validate_json(path.read_bytes())
    except OSError as error:
        raise SystemExit(f"The users file {path} cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors())
        raise SystemExit(f"The users file {path} is not right: {wrong}.") from None
    if ROOT_NAME in users:
        raise SystemExit(f"The users file {path} may not have the user '{ROOT_NAME}': it is the root token's.")
    return users


def hash_password(password: str) -> str:
    """What to put into the file for a password."""
    salt = os.urandom(16)
    return f"{FORM_START}{_text(salt)}${_text(_scrypt(password, salt))}"


def identify_user(users: Users, given: Credentials) -> Identity | None:
    """Whose password it is."""
    user = users.get(given.user or "")
    matches = _matches(given.secret, user.password if user is not None else NOBODY)
    return Identity.granted(str(given.user), "user", user) if user is not None and matches else None


def _matches(password: str, stored: str) -> bool:
    salt, _, expected = stored.removeprefix(FORM_START).partition("$")
    return hmac.compare_digest(_text(_scrypt(password, base64.b64decode(salt))), expected)


def _scrypt(password: str, salt: bytes) -> bytes:
    memory = 256 * COST * BLOCK  # twice what it takes
    return hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK, p=PARALLEL, maxmem=memory, dklen=32)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
