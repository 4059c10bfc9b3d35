"""Refuses request bodies that are too large, announced or not, before they are read into memory."""

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dbt_api.problem_json import problem


class BodyLimit:
    """ASGI middleware: answers 413 once a body exceeds the limit. Uploads of projects have a larger one."""

    def __init__(self, app: ASGIApp, *, limit_bytes: int, upload_limit_bytes: int) -> None:
        self._app = app
        self._limit = limit_bytes
        self._upload_limit = upload_limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a counting reader."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        limit = self._upload_limit if scope["path"].endswith("/upload") else self._limit
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > limit:
            return await problem(413, _told(limit))(scope, receive, send)
        return await self._app(scope, _counted(receive, limit), send)


def _told(limit: int) -> str:
    return f"The request's body is larger than {limit} bytes."


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413, _told(limit))
        return message

    return counted
