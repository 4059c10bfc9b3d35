"""Who calls, and what that allows."""

from dataclasses import dataclass

from contracts.dbt_api import Grant, LoginKind, Scope, SubmitInvocation
from dbt_api.errors import ApiError, not_found

ROOT_NAME = "pilothouse"
RUN_OPERATION = "run-operation"
"""Runs any macro, so any SQL. Searched among all words of a command: a doubtful one is refused rather than let by."""


@dataclass(frozen=True)
class Identity:
    """A verified login. `project` is the only one it may see and touch; none: all."""

    name: str
    kind: LoginKind
    scopes: frozenset[Scope]
    project: str | None = None
    token_prefix: str | None = None

    @classmethod
    def granted(cls, name: str, kind: LoginKind, grant: Grant) -> "Identity":
        """The identity with the rights of a grant."""
        return cls(name, kind, frozenset(grant.scopes), grant.project)

    def may(self, scope: Scope) -> bool:
        """Whether it holds the right."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


ROOT = Identity(ROOT_NAME, "root", frozenset(Scope))


@dataclass
class Caller:
    """The identity behind one request, and what the request turned out to be about, for the audit."""

    identity: Identity
    project: str | None = None
    resource: str | None = None

    @property
    def only_project(self) -> str | None:
        """The project that lists are to be narrowed to; None: all."""
        return self.identity.project

    def check(self, scope: Scope) -> None:
        """Raises ApiError 403 without the right."""
        if not self.identity.may(scope):
            raise ApiError(403, f"This login lacks the scope '{scope}'.", hint="Use another login, or ask for a token.")

    def sees(self, project: str) -> bool:
        """Whether the project exists for this caller."""
        return self.identity.project in (None, project)

    def enter(self, project: str) -> None:
        """The request is about this project. Raises ApiError 404 when it doesn't exist for this caller."""
        if not self.sees(project):
            raise not_found("project", project)
        self.project = project

    def submission(self, asked: SubmitInvocation) -> SubmitInvocation:
        """What the caller asks to run, in the name that it may use. Raises ApiError 403 or 404."""
        self.enter(asked.project)
        self.check_command(asked.command)
        return asked.model_copy(update={"requested_by": self.name_for(asked.requested_by)})

    def check_command(self, command: list[str]) -> None:
        """Raises ApiError 403 for a command that needs a scope of its own, and isn't granted."""
        if RUN_OPERATION in command:
            self.check(Scope.RUN_OPERATION)

    def name_for(self, requested_by: str | None) -> str:
        """In whose name it acts: admins (the console, Airflow) may speak for others, all others are themselves."""
        return requested_by if requested_by and self.identity.may(Scope.ADMIN) else self.identity.name

    def narrowed(self, project: str | None) -> str | None:
        """The project to filter a list by. Raises ApiError 404 for another than the caller's own."""
        if project is not None and not self.sees(project):
            raise not_found("project", project)
        return project or self.identity.project

    def check_unbound(self) -> None:
        """What is about the whole server is not for a login of one project. Raises ApiError 403."""
        if self.identity.project is not None:
            raise ApiError(403, "This login is bound to a project, and this is about all of them.")
