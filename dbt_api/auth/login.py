"""Login: the token as bearer, or as the password of basic authentication with the user `pilothouse`."""

import base64
import binascii
import hmac

from fastapi import Request
from fastapi.security import HTTPBasic, HTTPBearer

from dbt_api.errors import ApiError
from dbt_api.settings import settings

USER = "pilothouse"
SCHEMES = 'Bearer realm="dbt API", Basic realm="dbt API", charset="UTF-8"'
BEARER = HTTPBearer(auto_error=False, description="The token of PILOTHOUSE_DBT_API_TOKEN.")
BASIC = HTTPBasic(auto_error=False, description=f"User `{USER}`, the token as the password.")
"""The two schemes as OpenAPI shows them; `authenticate` is what checks."""


def authenticate(request: Request) -> None:
    """Let only holders of the token pass. Raises ApiError 401."""
    given = _given_token(request.headers.get("Authorization", ""))
    token = settings().token
    if token is None or given is None or not hmac.compare_digest(given, token.get_secret_value().encode()):
        raise ApiError(401, "A valid login is needed.", hint=f"Send the token as bearer, or as {USER}'s password.")
    request.state.login = USER


def _given_token(header: str) -> bytes | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip().encode()
    if scheme.lower() == "basic":
        return _password(value)
    return None


def _password(value: str) -> bytes | None:
    try:
        user, _, password = base64.b64decode(value, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return password if hmac.compare_digest(user, USER.encode()) else None
