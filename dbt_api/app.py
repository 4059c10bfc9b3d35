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
from dbt_api.callbacks.delivery import start_delivery
from dbt_api.openapi import describe
from dbt_api.problem_json import add_error_handlers
from dbt_api.request_log import RequestLog
from dbt_api.routes import access, compatible, docs, invocations, models, projects, records, system, workers
from dbt_api.running.warm import close_engines, open_engines
from dbt_api.settings import settings
from dbt_api.version import VERSION
from dbt_api.workers.service import service

DESCRIPTION = """Runs dbt commands of registered projects, one writer per project and target, and keeps logs and
artifacts. Two doors: `/invocations` speaks the dialect of existing clients, `/api/v1` has everything."""


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Migrate, take up what an earlier server left, serve, and end our dbt processes before we go."""
    await run_in_threadpool(open_engines)
    await run_in_threadpool(service.start)
    start_delivery()
    yield
    await run_in_threadpool(service.stop)
    await run_in_threadpool(close_engines)


def create_app(*, with_routes: bool = True) -> FastAPI:
    """The application, with every route but `/ready` and `/healthz` behind the login.

    Without routes it is a worker's: only what tells of its health.
    """
    app = FastAPI(
        title="Pilothouse dbt API", version=VERSION, description=DESCRIPTION, lifespan=lifespan, openapi_url=None
    )
    add_error_handlers(app)
    app.add_middleware(
        BodyLimit, limit_bytes=settings().body_limit_bytes, upload_limit_bytes=settings().upload_limit_bytes
    )
    app.add_middleware(BodyTime)
    app.add_middleware(Door, login=Login(settings()))
    app.add_middleware(ExceptionMiddleware, handlers=app.exception_handlers)  # for what the door raises
    app.add_middleware(Audit)
    app.add_middleware(RequestLog)  # the last one is asked first
    app.include_router(system.router)
    app.include_router(system.guarded)
    if not with_routes:
        return app
    routers = (compatible, invocations, records, projects, models, docs, workers, access)
    for router in (each.router for each in routers):
        app.include_router(router)

    @app.get("/openapi.json", include_in_schema=False, dependencies=[needs(Scope.RUN_READ)])
    def openapi() -> dict[str, Any]:
        return describe(app)

    return app
