"""`/api/v1/tokens` and `/api/v1/audit`: who may use the dbt API, and what they did."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from contracts.dbt_api import AuditEntry, AuditPage, CreatedToken, CreateToken, Scope, Token
from dbt_api.auth.access import needs
from dbt_api.auth.audit import audit_page
from dbt_api.auth.identity import Caller
from dbt_api.auth.tokens import create_token, list_tokens, revoke_token

router = APIRouter(prefix="/api/v1", tags=["access"])


@router.post("/tokens", status_code=201, summary="Make an API token")
def create(body: CreateToken, response: Response, caller: Annotated[Caller, needs(Scope.ADMIN)]) -> CreatedToken:
    """The answer holds the secret, which cannot be had again."""
    created = create_token(body, created_by=caller.identity.name)
    caller.project, caller.resource = created.project, created.prefix
    response.headers["Cache-Control"] = "no-store"
    return created


@router.get("/tokens", summary="List API tokens", dependencies=[needs(Scope.ADMIN)])
def tokens() -> list[Token]:
    """All of them, newest first, without their secrets."""
    return list_tokens()


@router.delete("/tokens/{prefix}", status_code=204, summary="Revoke an API token", dependencies=[needs(Scope.ADMIN)])
def revoke(prefix: str) -> Response:
    """Delete it: from the next request on it opens nothing."""
    revoke_token(prefix)
    return Response(status_code=204)


@router.get("/audit", summary="Read the audit, newest first", dependencies=[needs(Scope.ADMIN)])
def audit(
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
    cursor: Annotated[str | None, Query(pattern=r"^\d{1,18}$", description="next_cursor of the page before.")] = None,
) -> AuditPage:
    """Every mutating call: who, what, when, from where, and how it was answered."""
    rows = audit_page(limit=limit + 1, before=int(cursor) if cursor else None)
    return AuditPage(
        entries=[AuditEntry.model_validate(row, from_attributes=True) for row in rows[:limit]],
        next_cursor=str(rows[limit - 1].id) if len(rows) > limit else None,
    )
