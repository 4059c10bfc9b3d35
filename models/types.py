"""Column types and small functions that all tables share."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, DateTime, Dialect, Enum
from sqlalchemy.types import TypeDecorator


def now() -> datetime:
    """The present moment, with its zone."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """Keeps zone-aware datetimes whole on SQLite, which stores no zone: written as UTC, read as UTC."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ARG002
        """Refuse naive datetimes: they are a bug, not a time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the zone back."""
        return value.replace(tzinfo=UTC) if value is not None else None


def enum_column(values: type[StrEnum], *, index: bool = False) -> Column[Any]:
    """A column that stores an enum's values, the words users and other systems know, and not Python's names."""
    kind = Enum(
        values, values_callable=lambda members: [member.value for member in members], native_enum=False, length=40
    )
    return Column(kind, nullable=False, index=index)
