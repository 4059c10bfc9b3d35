"""Login: bearer or basic, with the root token, an API token, a user's password or an issuer's JWT."""

import asyncio
import hmac

from fastapi.concurrency import run_in_threadpool

from dbt_api.auth.credentials import Credentials, read_credentials
from dbt_api.auth.expiring import Expiring
from dbt_api.auth.identity import ROOT, ROOT_NAME, Identity
from dbt_api.auth.oidc import Oidc
from dbt_api.auth.throttle import Throttle
from dbt_api.auth.tokens import identify_token
from dbt_api.auth.users import identify_user, read_users
from dbt_api.errors import ApiError
from dbt_api.settings import Settings

SLOW_CHECKS = 2
"""How many passwords and JWTs are checked at a time: each may take a thread, 16 MiB or the issuer's time."""
PASSWORD_SECONDS = 60
"""How long a checked password counts without being computed again."""


class Login:
    """Finds the identity behind an Authorization header. For one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._root = settings.token.get_secret_value().encode() if settings.token else None
        self._users = read_users(settings.users_file)
        self._oidc = Oidc(settings.oidc) if settings.oidc else None
        self._passwords = Expiring[bytes, Identity](seconds=PASSWORD_SECONDS)
        self._slow_checks = asyncio.Semaphore(SLOW_CHECKS)
        self._throttle = Throttle(
            failures=settings.login_failures,
            failures_by_name=settings.login_failures_by_name,
            wait_seconds=settings.login_wait_seconds,
        )

    async def identity(self, header: bytes, address: str) -> Identity:
        """Who sends this header from this address.

        Raises ApiError: 401 without a valid login, 429 after too many wrong ones, and what `Oidc.identify` raises.
        """
        given = read_credentials(header)
        if given is None:
            raise _refused()
        self._throttle.check(given, address)
        found = await self._found(given, address)
        if found is None:
            self._throttle.failed(given, address)
            raise _refused()
        self._throttle.succeeded(given, address)
        return found

    async def _found(self, given: Credentials, address: str) -> Identity | None:
        if self._is_root(given):
            return ROOT
        if given.is_token:
            return await run_in_threadpool(identify_token, given)
        if (known := self._passwords.get(given.digest)) is not None:
            return known
        async with self._slow_checks:
            self._throttle.check(given, address)  # others that waited here may have failed meanwhile
            return await self._slowly_found(given)

    async def _slowly_found(self, given: Credentials) -> Identity | None:
        if given.user is None:
            return await run_in_threadpool(self._oidc.identify, given.secret) if self._oidc else None
        found = await run_in_threadpool(identify_user, self._users, given) if self._users else None
        if found is not None:
            self._passwords.put(given.digest, found)
        return found

    def _is_root(self, given: Credentials) -> bool:
        if self._root is None or given.user not in (None, ROOT_NAME):
            return False
        return hmac.compare_digest(given.secret.encode(), self._root)


def _refused() -> ApiError:
    hint = "Send a token as bearer, or as the password of HTTP basic with the token's name as the user."
    return ApiError(401, "A valid login is needed.", hint=hint)
