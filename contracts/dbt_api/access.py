"""Who may do what on the dbt API: scopes, API tokens, and the audit of what was done."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.dbt_api.projects import ProjectName

LoginName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,99}$")]
"""Name of a token or a user. No colon: it is the user of HTTP basic (RFC 7617)."""

LoginKind = Literal["root", "token", "user", "oidc"]


class Scope(StrEnum):
    """A right of a login. `admin` holds all the others, since it may make a token with any of them."""

    RUN_READ = "run:read"
    RUN_WRITE = "run:write"
    RUN_ABORT = "run:abort"
    RUN_OPERATION = "run:operation"
    PROJECT_WRITE = "project:write"
    ADMIN = "admin"


class Grant(BaseModel):
    """Rights, on all projects or on one."""

    scopes: list[Scope] = Field(min_length=1, description="run-operation needs `run:operation` besides `run:write`.")
    project: ProjectName | None = Field(default=None, description="The only project to see and touch; none: all.")

    @model_validator(mode="after")
    def _admin_is_for_all(self) -> Self:
        if self.project is not None and Scope.ADMIN in self.scopes:
            raise ValueError("admin cannot be bound to a project: it may make tokens for all of them")
        return self


class CreateToken(Grant):
    """Body of POST /api/v1/tokens."""

    model_config = ConfigDict(extra="forbid")

    name: LoginName = Field(description="What audit and `requested_by` show. Two may share it while one replaces one.")
    expires_in_days: int | None = Field(default=90, ge=1, le=3650, description="null: never.")


class Token(BaseModel):
    """An API token as lists show it: everything but its secret, which nobody keeps."""

    prefix: str = Field(description="Start of the token, which names it in routes and in the audit.")
    name: str = Field(description="What audit and `requested_by` show.")
    scopes: list[Scope] = Field(description="What it may do.")
    project: str | None = Field(default=None, description="The only project it may see; null: all.")
    created_at: datetime = Field(description="When it was made, UTC.")
    created_by: str = Field(description="The login that made it.")
    expires_at: datetime | None = Field(default=None, description="null: never.")
    last_used_at: datetime | None = Field(default=None, description="To about a minute.")


class CreatedToken(Token):
    """Answer of POST /api/v1/tokens: the only one that holds the secret."""

    secret: str = Field(description="The whole token: the bearer, or the password with the token's name as user.")


class AuditEntry(BaseModel):
    """One mutating call (any method but GET, HEAD and OPTIONS), also a refused one. Never a body or a secret."""

    id: int = Field(description="Grows with each entry.")
    at: datetime = Field(description="When it was answered.")
    caller: str | None = Field(default=None, description="Name of the login; null when there was none.")
    login: LoginKind | None = Field(default=None, description="How the caller logged in.")
    token_prefix: str | None = Field(default=None, description="The API token that was used, if one was.")
    method: str = Field(description="Of the HTTP request.")
    route: str = Field(description="Template of the route, e.g. /api/v1/projects/{name}.")
    resource: str | None = Field(default=None, description="What the route's parameters name, e.g. a task_id.")
    project: str | None = Field(default=None, description="The project that it was about, if one.")
    status: int = Field(description="HTTP status of the answer.")
    address: str = Field(description="The client's address, as the server or its trusted proxy sees it.")


class AuditPage(BaseModel):
    """One page of the audit, newest first."""

    entries: list[AuditEntry] = Field(description="Newest first.")
    next_cursor: str | None = Field(default=None, description="For the next page; null on the last.")
