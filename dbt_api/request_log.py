"""One log line and one measurement for each request, and an id that client and log share.

The line names the route's template and never the URL, since query strings may hold what nobody should read later.
"""

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dbt_api import metrics

LOG = logging.getLogger("dbt_api.requests")
HEADER = "X-Request-Id"
ID = re.compile(r"^[A-Za-z0-9._-]{1,100}$")
PROBES = {"/healthz", "/ready", "/metrics"}


class RequestLog:
    """ASGI middleware: the outermost, so that every answer is counted, also those of other middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, note its status and how long it took."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        given = Headers(scope=scope).get(HEADER, "")
        request_id = given if ID.match(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        status, began = 500, time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        try:
            return await self._app(scope, receive, noting)
        finally:
            _note(scope, status, time.perf_counter() - began, request_id)


def _note(scope: Scope, status: int, seconds: float, request_id: str) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    method = scope["method"] if scope["method"] in metrics.METHODS else "other"
    metrics.REQUESTS.labels(method, route, str(status)).inc()
    metrics.REQUEST_SECONDS.labels(method, route).observe(seconds)
    facts = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
    actor = scope.get("state", {}).get("actor")
    level = logging.DEBUG if route in PROBES else logging.INFO
    LOG.log(
        level,
        "%(method)s %(route)s %(status)s %(ms)s ms",
        facts,
        extra={**facts, "request_id": request_id, **({"actor": actor} if actor else {})},
    )
