"""The HTTP application: routes, login, error answers, and the queue that lives as long as it does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Security
from fastapi.concurrency import run_in_threadpool

from dbt_api.auth.login import BASIC, BEARER, authenticate
from dbt_api.body_limit import BodyLimit
from dbt_api.callbacks.delivery import start_delivery
from dbt_api.database import migrate
from dbt_api.openapi import describe
from dbt_api.problem_json import add_error_handlers
from dbt_api.queue import close_queue, open_queue
from dbt_api.routes import compatible, invocations, projects, system
from dbt_api.settings import settings

DESCRIPTION = """Runs dbt commands of registered projects, one writer per project and target, and keeps logs and
artifacts. Two doors: `/invocations` speaks the dialect of existing clients, `/api/v1` has everything."""


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Migrate, take up what an earlier server left, serve, and end our dbt processes before we go."""
    await run_in_threadpool(migrate)
    await run_in_threadpool(open_queue)
    start_delivery()
    yield
    await run_in_threadpool(close_queue)


def create_app() -> FastAPI:
    """The application, with every route but `/ready` and `/healthz` behind the login."""
    app = FastAPI(
        title="Pilothouse dbt API", version=system.VERSION, description=DESCRIPTION, lifespan=lifespan, openapi_url=None
    )
    add_error_handlers(app)
    app.add_middleware(BodyLimit, limit_bytes=settings().body_limit_bytes)
    login = [Depends(authenticate), Security(BEARER), Security(BASIC)]
    app.include_router(system.router)
    for router in (compatible.router, invocations.router, projects.router):
        app.include_router(router, dependencies=login)

    @app.get("/openapi.json", include_in_schema=False, dependencies=login)
    def openapi() -> dict[str, Any]:
        return describe(app)

    return app
