"""The door: nobody reaches a route without a login, and before that not a byte of the body is read."""

from starlette.types import ASGIApp, Receive, Scope, Send

from dbt_api.auth.identity import Caller
from dbt_api.auth.login import Login

OPEN = frozenset({"/ready", "/healthz"})
"""Paths that probes may ask without a login."""


class Door:
    """ASGI middleware: puts the request's Caller into `request.state.caller`, or raises the login's ApiError."""

    def __init__(self, app: ASGIApp, *, login: Login) -> None:
        self._app = app
        self._login = login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, or not."""
        if scope["type"] == "http" and scope["path"] not in OPEN:
            identity = await self._login.identity(authorization(scope), client_address(scope))
            scope.setdefault("state", {})["caller"] = Caller(identity)
        return await self._app(scope, receive, send)


def authorization(scope: Scope) -> bytes:
    """The Authorization header; empty without one, and with several: which one would count?"""
    found = [value for name, value in scope["headers"] if name == b"authorization"]
    return found[0] if len(found) == 1 else b""


def client_address(scope: Scope) -> str:
    """The client's address; a proxy's X-Forwarded-For counts only if the settings trust the proxy."""
    return str(scope["client"][0]) if scope.get("client") else "unknown"
