"""Who is told of a project's runs, and what became of each message."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.types import UtcDateTime, enum_column, now


class Occasion(StrEnum):
    """Why somebody is told of a run."""

    FAILURE = "failure"
    RECOVERY = "recovery"
    SLOW = "slow"


class NotificationRule(SQLModel, table=True):
    """One channel of one project, and the occasions it wants to hear of."""

    __tablename__ = "notification_rule"
    __table_args__ = (UniqueConstraint("project", "channel"),)

    id: int | None = Field(default=None, primary_key=True)
    project: str = Field(index=True)
    channel: str
    """Its name in the channels file; addresses and secrets stay there."""
    on_failure: bool = True
    on_recovery: bool = True
    on_slow: bool = False

    @property
    def occasions(self) -> set[Occasion]:
        """What the channel wants to hear of."""
        wanted = {
            Occasion.FAILURE: self.on_failure,
            Occasion.RECOVERY: self.on_recovery,
            Occasion.SLOW: self.on_slow,
        }
        return {occasion for occasion, is_wanted in wanted.items() if is_wanted}


class Delivery(SQLModel, table=True):
    """One message about one run to one channel: at most one, however often the collector looks."""

    __table_args__ = (UniqueConstraint("run_id", "channel"),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id", ondelete="CASCADE", index=True)
    channel: str
    occasion: Occasion = Field(sa_column=enum_column(Occasion))
    attempts: int = 0
    due_at: datetime | None = Field(default_factory=now, sa_column=Column(UtcDateTime, index=True))
    """When to try (again); None when it was sent or given up."""
    sent_at: datetime | None = Field(default=None, sa_column=Column(UtcDateTime))
    problem: str | None = None
    """Why the last attempt failed."""
