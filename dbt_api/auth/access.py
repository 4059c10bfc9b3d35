"""What a route demands of its caller: `needs(Scope.RUN_READ)`, in one of two places.

    @router.get("/{task_id}", dependencies=[needs(Scope.RUN_READ)])
    def read(task_id: str) -> Invocation:

    @router.post("")
    def submit(body: SubmitInvocation, caller: Annotated[Caller, needs(Scope.RUN_WRITE)]) -> Invocation:

A login that is bound to a project gets 404 from every route whose path names another's invocation (`{task_id}`) or
another project (`/projects/{name}`). Where the body or a list is concerned, the route asks its `Caller`.
"""

from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.openapi.models import HTTPBase, HTTPBearer
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from contracts.dbt_api import Scope
from dbt_api import store
from dbt_api.auth.identity import Caller
from dbt_api.errors import UnknownInvocation


class Scheme(SecurityBase):
    """A scheme as OpenAPI shows it. The door has checked it before."""

    def __init__(self, name: str, model: HTTPBase) -> None:
        self.scheme_name = name
        self.model = model

    async def __call__(self) -> None:
        """Nothing is left to check."""


BEARER = Scheme("bearer", HTTPBearer(description="The root token, an API token, or a JWT of the OIDC issuer."))
BASIC = Scheme("basic", HTTPBase(scheme="basic", description="A token's name and the token, or a user's password."))


async def authorised(
    request: Request,
    needed: SecurityScopes,
    _bearer: Annotated[None, Security(BEARER)],
    _basic: Annotated[None, Security(BASIC)],
) -> Caller:
    """The caller, who holds the scope and may know what the path names. Raises ApiError 403 or 404."""
    caller: Caller = request.state.caller
    for scope in needed.scopes:
        caller.check(Scope(scope))
    parameters = request.path_params
    if "task_id" in parameters:
        await _check_invocation(caller, parameters["task_id"])
    elif request.scope["path"].startswith("/api/v1/projects/"):  # request.url depends on the Host header
        caller.enter(parameters["name"])
    return caller


def needs(scope: Scope) -> Any:
    """Demand a scope; every route does, or the tests fail."""
    return Security(authorised, scopes=[scope.value])


async def _check_invocation(caller: Caller, task_id: str) -> None:
    if caller.only_project is not None:
        row = await run_in_threadpool(store.find, task_id)
        if row is None or not caller.sees(row.project):
            raise UnknownInvocation(task_id)
