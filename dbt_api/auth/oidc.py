"""Logins by the JWTs of an OpenID Connect issuer. We only check them: issuing, refreshing, logout are the issuer's."""

import threading
import time
from typing import Any

import jwt
import requests

from dbt_api.auth.identity import Identity
from dbt_api.errors import ApiError
from dbt_api.settings import OidcSettings

RETRY_SECONDS = 10
"""Least time between two questions to the issuer: neither its outage nor unknown keys make us ask at every request."""
NAME_LENGTH = 200
UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, KeyError, RecursionError)
"""All that a made-up token can cause inside the library."""


class Oidc:
    """Checks JWTs of one issuer. For any number of threads."""

    def __init__(self, settings: OidcSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_until = self._next_question = 0.0
        self._is_down = False

    def identify(self, token: str) -> Identity | None:
        """Whose token it is; None when it is not the issuer's.

        Raises ApiError: 401 for a true token that has expired or is for others, 403 without a known group, 503 when
        the issuer's keys cannot be had.
        """
        claims = self._claims(token)
        if claims is None:
            return None
        name = claims.get(self._settings.name_claim)
        if not isinstance(name, str) or not name.strip():
            raise ApiError(401, f"The token has no claim '{self._settings.name_claim}'.")
        groups = claims.get(self._settings.groups_claim)
        held = groups if isinstance(groups, list) else [groups]
        for group, grant in self._settings.groups.items():
            if group in held:
                return Identity.granted(name[:NAME_LENGTH], "oidc", grant)
        raise ApiError(403, "None of the token's groups may use the dbt API.")

    def _claims(self, token: str) -> dict[str, Any] | None:
        try:
            header = jwt.get_unverified_header(token)
            if header["alg"] not in self._settings.algorithms:
                return None
            return self._decoded(token, self._key(header["kid"]))
        except jwt.ExpiredSignatureError:
            raise ApiError(401, "The token has expired.") from None
        except (jwt.InvalidAudienceError, jwt.InvalidIssuerError):
            raise ApiError(401, "The token is not for the dbt API, or not of its issuer.") from None
        except UNREADABLE:
            return None

    def _decoded(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=self._settings.algorithms,
            issuer=self._settings.issuer,
            audience=self._settings.audience,
            leeway=self._settings.leeway_seconds,
            options={"require": ["exp", "iss", "aud"]},
        )

    def _key(self, name: str) -> jwt.PyJWK:
        with self._lock:
            fresh = time.monotonic() < self._keys_until
            if not (fresh and name in self._keys) and time.monotonic() >= self._next_question:
                self._ask()
            if name in self._keys and time.monotonic() < self._keys_until:
                return self._keys[name]
            if self._is_down:
                raise ApiError(503, "The issuer of the tokens cannot be reached.", retry_after_seconds=RETRY_SECONDS)
        raise jwt.InvalidKeyError("The issuer has no such key")

    def _ask(self) -> None:
        try:
            client = jwt.PyJWKClient(self._jwks_url(), cache_jwk_set=False, timeout=self._settings.timeout_seconds)
            found = client.get_signing_keys()
        except (jwt.PyJWTError, requests.RequestException, ValueError, KeyError, OSError):
            self._is_down = True
        else:
            allowed = self._settings.algorithms
            self._keys = {str(key.key_id): key for key in found if key.algorithm_name in allowed}
            self._keys_until = time.monotonic() + self._settings.keys_seconds
            self._is_down = False
        self._next_question = time.monotonic() + RETRY_SECONDS

    def _jwks_url(self) -> str:
        if self._settings.jwks_url:
            return self._settings.jwks_url
        url = f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        answer = requests.get(url, timeout=self._settings.timeout_seconds, allow_redirects=False)
        answer.raise_for_status()
        return str(answer.json()["jwks_uri"])
