"""API tokens in the database: `pht_` + 10 characters that name it + 43 that are secret (256 bits).

A hash without salt or stretching is enough: what makes those necessary is that people choose guessable passwords, and
256 random bits cannot be guessed. So a token costs one indexed read per request, and a deleted one is refused at once.
"""

import hashlib
import hmac
import secrets
import string
from datetime import timedelta

from sqlmodel import col, select

from contracts.dbt_api import CreatedToken, CreateToken, Scope, Token
from dbt_api.auth.credentials import PREFIX_LENGTH, TOKEN_START, Credentials
from dbt_api.auth.identity import ROOT_NAME, Identity
from dbt_api.database import session
from dbt_api.errors import ApiError, not_found
from dbt_api.tables import TokenRow, now

PREFIX_ALPHABET = string.ascii_lowercase + string.digits
LAST_USE_PRECISION = timedelta(minutes=1)


def create_token(wanted: CreateToken, *, created_by: str) -> CreatedToken:
    """Store a new token's hash; the secret is in the answer and nowhere else. Raises ApiError 422."""
    if wanted.name == ROOT_NAME:
        raise ApiError(422, f"'{ROOT_NAME}' is the name of the root token.")
    prefix = TOKEN_START + "".join(secrets.choice(PREFIX_ALPHABET) for _ in range(PREFIX_LENGTH - len(TOKEN_START)))
    secret = prefix + secrets.token_urlsafe(32)
    moment = now()
    row = TokenRow(
        prefix=prefix,
        secret_hash=_hash(secret),
        name=wanted.name,
        scopes=sorted(set(wanted.scopes)),
        project=wanted.project,
        created_at=moment,
        created_by=created_by,
        expires_at=moment + timedelta(days=wanted.expires_in_days) if wanted.expires_in_days else None,
    )
    with session() as opened:
        opened.add(row)
    return CreatedToken(**row.model_dump(), secret=secret)


def list_tokens() -> list[Token]:
    """All tokens, newest first, expired ones too."""
    with session() as opened:
        rows = opened.exec(select(TokenRow).order_by(col(TokenRow.created_at).desc()))
        return [Token.model_validate(row, from_attributes=True) for row in rows]


def revoke_token(prefix: str) -> None:
    """Delete a token; it opens nothing from the next request on. Raises ApiError 404."""
    with session() as opened:
        row = opened.get(TokenRow, prefix)
        if row is None:
            raise not_found("token", prefix)
        opened.delete(row)


def identify_token(given: Credentials) -> Identity | None:
    """Whose token it is. Raises ApiError 401 for one that has expired."""
    with session() as opened:
        row = opened.get(TokenRow, given.prefix)
        expected = row.secret_hash if row is not None else _hash("")
        if not hmac.compare_digest(_hash(given.secret), expected) or row is None:
            return None
        if given.user not in (None, row.name):
            return None
        if row.expires_at is not None and row.expires_at < now():
            raise ApiError(401, "The token has expired.", hint="Make a new one: `python -m dbt_api token create`.")
        _note_use(row)
        scopes = frozenset(Scope(scope) for scope in row.scopes)
        return Identity(row.name, "token", scopes, row.project, row.prefix)


def _note_use(row: TokenRow) -> None:
    moment = now()
    if row.last_used_at is None or moment - row.last_used_at > LAST_USE_PRECISION:
        row.last_used_at = moment


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
