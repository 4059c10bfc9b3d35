"""The HTTP application: routes, login, error answers, and the queue that lives as long as it does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.middleware.exceptions import ExceptionMiddleware

from contracts.dbt_api import Scope
from dbt_api.auth.access import needs
from dbt_api.auth.audit import Audit
from dbt_api.auth.door import Door
from dbt_api.auth.login import Login
from dbt_api.body_limit import BodyLimit
from dbt_api.body_time import BodyTime
from dbt_api.database import migrate
from dbt_api.problem_json import add_error_handlers
from dbt_api.queue import close_queue, open_queue
from dbt_api.routes import access, compatible, invocations, projects, system
from dbt_api.settings import settings

DESCRIPTION = """Runs dbt commands of registered projects, one writer per project and target, and keeps logs and
artifacts. Two doors: `/invocations` speaks the dialect of existing clients, `/api/v1` has everything."""


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Migrate, take up what an earlier server left, serve, and end our dbt processes before we go."""
    await run_in_threadpool(migrate)
    await run_in_threadpool(open_queue)
    yield
    await run_in_threadpool(close_queue)


def create_app() -> FastAPI:
    """The application, with every route but `/ready` and `/healthz` behind the login."""
    app = FastAPI(
        title="Pilothouse dbt API", version=system.VERSION, description=DESCRIPTION, lifespan=lifespan, openapi_url=None
    )
    add_error_handlers(app)
    app.add_middleware(BodyLimit, limit_bytes=settings().body_limit_bytes)
    app.add_middleware(BodyTime)
    app.add_middleware(Door, login=Login(settings()))
    app.add_middleware(ExceptionMiddleware, handlers=app.exception_handlers)  # for what the door raises
    app.add_middleware(Audit)  # the last one is asked first
    for router in (system.router, compatible.router, invocations.router, projects.router, access.router):
        app.include_router(router)

    @app.get("/openapi.json", include_in_schema=False, dependencies=[needs(Scope.RUN_READ)])
    def openapi() -> dict[str, Any]:
        return app.openapi()

    return app
