"""Lists of invocations: filters, order, and an opaque cursor that says where the next page begins."""

import base64
import binascii
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from sqlalchemy import func
from sqlmodel import col, select

from contracts.dbt_api import InvocationState, ProjectName, ShortText
from dbt_api.database import session
from dbt_api.errors import ApiError
from dbt_api.tables import InvocationRow


class Sort(StrEnum):
    """Order of a list, by submission."""

    NEWEST = "newest"
    OLDEST = "oldest"


def _utc(value: datetime) -> datetime:
    """A moment without a zone is UTC; one at the end of all time stays there."""
    try:
        return value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        return value.replace(tzinfo=UTC)


def _written_as_date(value: Any) -> Any:
    """A bare number would be taken for seconds since 1970."""
    if isinstance(value, str) and not re.match(r"\d{4}-\d\d-\d\d", value):
        raise ValueError("not a moment such as 2026-01-31T12:00:00Z")
    return value


Moment = Annotated[datetime, BeforeValidator(_written_as_date), AfterValidator(_utc)]


class Listing(BaseModel):
    """The query of a list of invocations."""

    model_config = ConfigDict(extra="forbid")

    state: InvocationState | None = None
    project: ProjectName | None = None
    target: ShortText | None = Field(default=None, description="The target that was asked for.")
    user: ShortText | None = Field(default=None, description="`requested_by` of the invocation.")
    source: Literal["ui", "api", "airflow"] | None = Field(default=None, description="Kind of the source.")
    since: Moment | None = Field(default=None, description="Submitted at or after this moment (ISO 8601; UTC if bare).")
    until: Moment | None = Field(default=None, description="Submitted before this moment.")
    q: ShortText | None = Field(default=None, description="Part of the task_id or of the command, in any case.")
    sort: Sort = Sort.NEWEST
    limit: int = Field(default=100, ge=1, le=200)
    cursor: ShortText | None = Field(default=None, description="`next_cursor` of the page before, with its filters.")
    total: bool = Field(default=False, description="Count all that the filters mean, too.")

    @model_validator(mode="after")
    def _period_is_one(self) -> Self:
        if self.since is not None and self.until is not None and self.since > self.until:
            raise ValueError("since is after until")
        return self


def rows_of(query: Listing) -> tuple[list[InvocationRow], str | None]:
    """One page and the cursor of the next. Raises ApiError 422 for a cursor that no page gave."""
    number = col(InvocationRow.id)
    newest = query.sort is Sort.NEWEST
    conditions = _conditions(query)
    if query.cursor is not None:
        after = _read_cursor(query.cursor, query.sort)
        conditions.append(number < after if newest else number > after)
    statement = select(InvocationRow).where(*conditions).order_by(number.desc() if newest else number)
    with session() as opened:
        rows = list(opened.exec(statement.limit(query.limit + 1)))
    more = len(rows) > query.limit
    return rows[: query.limit], _cursor(rows[query.limit - 1], query.sort) if more else None


def total_of(query: Listing) -> int:
    """How many invocations the filters mean, on all pages."""
    with session() as opened:
        return opened.exec(select(func.count()).select_from(InvocationRow).where(*_conditions(query))).one()


def _conditions(query: Listing) -> list[Any]:
    row = InvocationRow
    equal = [
        (col(row.state), query.state),
        (col(row.project), query.project),
        (col(row.target), query.target),
        (col(row.requested_by), query.user),
        (col(row.source)["kind"].as_string(), query.source),
    ]
    conditions: list[Any] = [column == value for column, value in equal if value is not None]
    if query.since is not None:
        conditions.append(col(row.created_at) >= query.since)
    if query.until is not None:
        conditions.append(col(row.created_at) < query.until)
    return [*conditions, _holds(query.q)] if query.q else conditions


def _holds(part: str) -> Any:
    command, task_id = col(InvocationRow.command_display), col(InvocationRow.task_id)
    return command.icontains(part, autoescape=True) | task_id.icontains(part, autoescape=True)


def _cursor(row: InvocationRow, sort: Sort) -> str:
    return base64.urlsafe_b64encode(f"{sort}:{row.id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str, sort: Sort) -> int:
    try:
        told = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        told = ""
    found = re.fullmatch(rf"{sort}:(\d{{1,18}})", told, re.ASCII)
    if found is None:
        raise ApiError(422, "The cursor is not one that a page of this order gave.")
    return int(found[1])
