"""The audit: a row for every mutating call, written after its answer so that nobody waits for it.

Refused calls are in it too, but few of a flood: it must not fill the database.
"""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from re import Pattern
from typing import Any

from fastapi.concurrency import run_in_threadpool
from fastapi.routing import iter_route_contexts
from sqlalchemy import delete
from sqlmodel import col, select
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dbt_api import store
from dbt_api.auth.door import OPEN, client_address
from dbt_api.auth.expiring import Counter
from dbt_api.auth.identity import Caller
from dbt_api.database import session
from dbt_api.settings import settings
from dbt_api.tables import AuditRow, now

LOG = logging.getLogger(__name__)
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
REFUSALS = {401, 403, 429}
REFUSALS_KEPT = 10
"""So many rows of an address that is refused again and again, until it has been quiet for REFUSALS_SECONDS."""
REFUSALS_SECONDS = 60
CLEAN_SECONDS = 3600
RESOURCE_LIMIT = 200


def audit_page(*, limit: int, before: int | None = None) -> list[AuditRow]:
    """Rows newest first, older than the id `before`."""
    query = select(AuditRow).order_by(col(AuditRow.id).desc()).limit(limit)
    if before is not None:
        query = query.where(col(AuditRow.id) < before)
    with session() as opened:
        return list(opened.exec(query))


class Audit:
    """ASGI middleware, outermost, so that it sees every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._routes: list[tuple[str, Pattern[str], str]] = []
        self._refused = Counter[str](seconds=REFUSALS_SECONDS)
        self._next_cleaning = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and note how it was answered; without an answer it is the 500 that the app then gives."""
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS or scope["path"] in OPEN:
            return await self._app(scope, receive, send)
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            await self._note(scope, status)

    async def _note(self, scope: Scope, status: int) -> None:
        matched = self._matched(scope)
        refused = status in REFUSALS
        if matched is None or (refused and self._refused.add(client_address(scope)) > REFUSALS_KEPT):
            return
        try:
            await run_in_threadpool(self._write, _row(scope, status, *matched))
        except Exception:
            LOG.exception("A row of the audit could not be written: %s %s %s", scope["method"], matched[0], status)

    def _matched(self, scope: Scope) -> tuple[str, dict[str, str]] | None:
        """The template of the route and its parameters: a refused request never came as far as its route."""
        self._routes = self._routes or list(_routes(scope["app"].routes))
        for method, pattern, template in self._routes:
            if method == scope["method"] and (found := pattern.match(scope["path"])):
                return template, found.groupdict()
        return None

    def _write(self, row: AuditRow) -> None:
        if row.project is None and row.resource and "{task_id}" in row.route:
            invocation = store.find(row.resource)
            row.project = invocation.project if invocation is not None else None
        with session() as opened:
            opened.add(row)
            if time.monotonic() >= self._next_cleaning:
                oldest = now() - timedelta(days=settings().audit_days)
                opened.exec(delete(AuditRow).where(col(AuditRow.at) < oldest))
                self._next_cleaning = time.monotonic() + CLEAN_SECONDS


def _routes(routes: Any) -> Iterator[tuple[str, Pattern[str], str]]:
    for route in iter_route_contexts(routes):
        for method in (route.methods or set()) - SAFE_METHODS:
            yield method, route.path_regex, str(route.path_format)


def _row(scope: Scope, status: int, template: str, parameters: dict[str, str]) -> AuditRow:
    caller: Caller | None = scope.get("state", {}).get("caller")
    named = "/".join(parameters.values()).replace("\0", "")[:RESOURCE_LIMIT] or None
    row = AuditRow(method=scope["method"], route=template, resource=named, status=status, address=client_address(scope))
    if caller is not None:
        row.caller, row.login = caller.identity.name, caller.identity.kind
        row.token_prefix = caller.identity.token_prefix
        row.project, row.resource = caller.project, caller.resource or named
    return row
