"""Ends requests whose body comes too slowly: nobody who sends a byte now and then is waited for for ever."""

import asyncio

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dbt_api.settings import settings

LEAST_BYTES_PER_SECOND = 16 << 10
"""What a large body has to come with once the time that any body may take is over."""


class BodyTime:
    """ASGI middleware: answers 408 when the body isn't whole in time."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._seconds = settings().body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a reader that looks at the clock."""
        timed = self._timed(receive) if scope["type"] == "http" else receive
        return await self._app(scope, timed, send)

    def _timed(self, receive: Receive) -> Receive:
        seen, is_whole = 0, False
        until = asyncio.get_running_loop().time() + self._seconds

        async def timed() -> Message:
            nonlocal seen, is_whole
            try:
                async with asyncio.timeout_at(None if is_whole else until + seen / LEAST_BYTES_PER_SECOND):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "The request's body came too slowly.") from None
            seen += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
            return message

        return timed
