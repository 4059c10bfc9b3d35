"""Every error answer is problem+json (RFC 9457) with the three keys that dbt-labs' clients read."""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.routing import Match

from contracts.dbt_api import InvocationState, Problem
from dbt_api.errors import ApiError, UnknownInvocation

LOG = logging.getLogger(__name__)
SCHEMES = 'Bearer realm="dbt API", Basic realm="dbt API", charset="UTF-8"'


METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


def problem(
    status: int, detail: str, *, hint: str | None = None, retry_after_seconds: int | None = None
) -> JSONResponse:
    """One error answer."""
    title = HTTPStatus(status).phrase
    body = Problem(title=title, status=status, detail=detail, hint=hint, status_code=status, message=detail)
    headers = {"WWW-Authenticate": SCHEMES} if status == 401 else {}
    if retry_after_seconds is not None:
        headers["Retry-After"] = str(retry_after_seconds)
    return JSONResponse(body.model_dump(), status, headers, media_type="application/problem+json")


def _problem_of(error: ApiError) -> JSONResponse:
    """The answer that an error of ours becomes."""
    return problem(error.status, error.detail, hint=error.hint, retry_after_seconds=error.retry_after_seconds)


def add_error_handlers(app: FastAPI) -> None:
    """Turn every exception of a request into a problem."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(UnknownInvocation, _unknown_invocation)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    for unreachable in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(unreachable, _no_database)
    app.add_exception_handler(DataError, _no_place)
    app.add_exception_handler(Exception, _unexpected)


async def _api_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)
    return _problem_of(error)


async def _unknown_invocation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, UnknownInvocation)
    if request.scope["path"].startswith("/api/"):
        return _problem_of(error)
    return JSONResponse({"task_id": error.task_id, "state": InvocationState.NOT_FOUND})


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    wrong = [f"{'.'.join(str(part) for part in each['loc'][1:])}: {each['msg']}" for each in error.errors()]
    return problem(422, "; ".join(wrong))


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    answer = problem(error.status_code, str(error.detail))
    if error.status_code == 405:
        answer.headers["Allow"] = ", ".join(_methods_at(request))
    return answer


def _methods_at(request: Request) -> list[str]:
    """All methods of the path asked for: the router names only those of the first route that it finds."""
    scopes = {method: {**request.scope, "method": method} for method in METHODS}
    routes = request.app.routes
    return [method for method, scope in scopes.items() if any(each.matches(scope)[0] is Match.FULL for each in routes)]


async def _no_database(_: Request, error: Exception) -> JSONResponse:
    LOG.error("The database failed", exc_info=error)
    return problem(503, "The dbt API cannot reach its database.", hint="Trying again is safe.")


async def _no_place(_: Request, __: Exception) -> JSONResponse:
    return problem(422, "A value does not fit into the database: a number is too large, or a text holds NUL.")


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, "The dbt API failed unexpectedly.", hint="Its own log tells why.")
