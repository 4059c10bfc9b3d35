"""Named sets of an operator's parameters, which a team shares."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from contracts.operators import OperatorName
from models.types import UtcDateTime, enum_column, now


class Preset(SQLModel, table=True):
    """Some parameters of one operator under a name. It belongs to nobody: who saved it last stands beside it."""

    __table_args__ = (UniqueConstraint("operator", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    operator: OperatorName = Field(sa_column=enum_column(OperatorName))
    name: str = Field(max_length=60)
    parameters: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    saved_by: str
    saved_at: datetime = Field(default_factory=now, sa_column=Column(UtcDateTime, nullable=False))
