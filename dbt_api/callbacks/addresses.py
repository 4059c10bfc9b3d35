"""Where a callback may go: hosts that the settings allow, at addresses that are not the server's own network.

The name is resolved again for each delivery, and the connection goes to the address that was checked, so that a name
which changes its mind between the two gains nothing.
"""

import ipaddress
import socket
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from dbt_api.errors import ApiError
from dbt_api.settings import settings

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """A callback URL taken apart; `ip` is what its host resolved to."""

    scheme: str
    host: str
    port: int
    path: str
    ip: str


def address_of(url: str) -> Address:
    """Where the URL leads. Raises ApiError 422 when callbacks may not go there."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise _refused("it is not a URL") from None
    if scheme not in PORTS or not host or parts.username is not None or not url.isascii() or not url.isprintable():
        raise _refused("it must be http or https, with a host and without a login")
    if not any(fnmatchcase(host, pattern.lower()) for pattern in settings().callback_hosts):
        raise _refused(f"PILOTHOUSE_DBT_API_CALLBACK_HOSTS does not allow the host '{host}'")
    if settings().callback_secret is None:
        raise _refused("PILOTHOUSE_DBT_API_CALLBACK_SECRET is not set, so it could not be signed")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(scheme, host, port, path.replace(" ", "%20"), _checked_ip(host, port))


def _checked_ip(host: str, port: int) -> str:
    try:
        found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise _refused(f"the host '{host}' cannot be resolved") from None
    for ip in found:
        address = ipaddress.ip_address(ip.partition("%")[0])
        if not settings().callback_private_allowed and (not address.is_global or address.is_multicast):
            raise _refused(f"'{host}' is an address of a private network")
    return found[0]


def _refused(why: str) -> ApiError:
    return ApiError(422, f"The callback_url may not be used: {why}.")
