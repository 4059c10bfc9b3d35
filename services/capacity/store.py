"""The last capacity that the collector heard of: one row, with its age."""

from datetime import datetime

from pydantic import TypeAdapter

from models.system import AirflowCapacity
from models.types import now
from services.airflow import Capacity
from services.database import session

_ONLY = 1
_CAPACITY = TypeAdapter(Capacity)


def keep(capacity: Capacity) -> None:
    """Replace what was known."""
    with session() as opened:
        row = opened.get(AirflowCapacity, _ONLY) or AirflowCapacity(id=_ONLY, snapshot={})
        row.snapshot, row.taken_at = _CAPACITY.dump_python(capacity, mode="json"), now()
        opened.add(row)


def latest() -> tuple[Capacity, datetime] | None:
    """What is known, and since when; None before the first news."""
    with session() as opened:
        row = opened.get(AirflowCapacity, _ONLY)
    return None if row is None else (_CAPACITY.validate_python(row.snapshot), row.taken_at)
