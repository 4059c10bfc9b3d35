"""Single values as dbt writes them into its log and artifacts, read leniently: what makes no sense is None."""

from datetime import UTC, datetime
from typing import Any


def moment(text: Any) -> datetime | None:
    """A time in ISO format; UTC, whether it says so or not. Kubernetes writes its times in the same way."""
    try:
        read = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def count(value: Any) -> int | None:
    """A number of rows or bytes; some adapters say -1 when they don't know."""
    try:
        return int(value) if int(value) >= 0 else None
    except (TypeError, ValueError, OverflowError):
        return None
