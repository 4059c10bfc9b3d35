"""What a request's Authorization header holds."""

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from functools import cached_property

TOKEN_START = "pht_"  # noqa: S105  how every API token begins
PREFIX_LENGTH = len(TOKEN_START) + 10
NAME_LENGTH = 100
_KEY = os.urandom(32)


@dataclass(frozen=True)
class Credentials:
    """A secret: alone (bearer) or with a user (basic). Never to be logged."""

    secret: str
    user: str | None = None

    @property
    def is_token(self) -> bool:
        """Whether the secret has the form of an API token."""
        return self.secret.startswith(TOKEN_START)

    @property
    def prefix(self) -> str:
        """The part of an API token that names it."""
        return self.secret[:PREFIX_LENGTH]

    @property
    def claimed_name(self) -> str | None:
        """Whose secret it claims to be, if it does: the prefix of a token, or the user."""
        return self.prefix if self.is_token else self.user and self.user[:NAME_LENGTH]

    @cached_property
    def digest(self) -> bytes:
        """Stands for the credentials in memory; worthless in another process."""
        return hashlib.blake2b(repr((self.user, self.secret)).encode(), key=_KEY, digest_size=32).digest()


def read_credentials(header: bytes) -> Credentials | None:
    """The credentials of an Authorization header; None when there are none in a form that we know."""
    scheme, _, value = header.partition(b" ")
    try:
        if scheme.lower() == b"bearer" and value.strip():
            return Credentials(value.strip().decode())
        if scheme.lower() == b"basic":
            user, colon, secret = base64.b64decode(value, validate=True).decode().partition(":")
            return Credentials(secret, user) if colon else None
    except (UnicodeDecodeError, binascii.Error):
        return None
    return None
