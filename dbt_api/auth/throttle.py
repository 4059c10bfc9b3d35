"""Slows down who guesses: failed logins are counted per client address and per name.

An address with too many failures waits. A name with too many, from anywhere, gives an address that has itself failed
no further try; one that has not is never refused, so nobody can lock another out. Who logged in from an address
before is let in there also while it waits: one client with an old token doesn't lock out the others on its host.
"""

import ipaddress
import math

from dbt_api.auth.credentials import Credentials
from dbt_api.auth.expiring import Counter, Expiring
from dbt_api.errors import ApiError

REMEMBERED_SECONDS = 3600
IPV6_SITE = 64
"""A single client commands so many leading bits' worth of addresses."""


class Throttle:
    """Counts failures and refuses with 429. Used by the event loop's thread only."""

    def __init__(self, *, failures: int, failures_by_name: int, wait_seconds: float) -> None:
        self._failures = failures
        self._failures_by_name = failures_by_name
        self._wait = math.ceil(wait_seconds)
        self._by_address = Counter[str](seconds=wait_seconds)
        self._by_name = Counter[str](seconds=wait_seconds)
        self._succeeded = Expiring[tuple[str, bytes], bool](seconds=REMEMBERED_SECONDS)

    def check(self, given: Credentials, address: str) -> None:
        """Raises ApiError 429 when this address has to wait before it may try."""
        own = self._by_address.get(_client(address)) or 0
        named = self._by_name.get(given.claimed_name or "") or 0
        refused = own >= self._failures or (own > 0 and named >= self._failures_by_name)
        if refused and not self._succeeded.get((address, given.digest)):
            raise ApiError(429, "Too many failed logins.", hint="Wait, then try again.", retry_after_seconds=self._wait)

    def failed(self, given: Credentials, address: str) -> None:
        """Count a failure."""
        self._by_address.add(_client(address))
        if given.claimed_name:
            self._by_name.add(given.claimed_name)
        self._succeeded.forget((address, given.digest))

    def succeeded(self, given: Credentials, address: str) -> None:
        """Remember who may pass."""
        self._succeeded.put((address, given.digest), True)


def _client(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, IPV6_SITE), strict=False)) if parsed.version == 6 else address
