"""The rules of a project as its page shows and changes them."""

from sqlmodel import col, select

from models.notification import Delivery, NotificationRule
from models.run import Run
from services.database import session
from services.errors import InvalidInput
from services.notifications.channels import channels
from services.notifications.messages import test_message
from services.notifications.sending import send


def rules_of(project: str) -> list[NotificationRule]:
    """The rules of a project by channel."""
    with session() as opened:
        rows = select(NotificationRule).where(NotificationRule.project == project)
        return list(opened.exec(rows.order_by(col(NotificationRule.channel))))


def save_rule(project: str, channel: str, *, on_failure: bool, on_recovery: bool, on_slow: bool) -> None:
    """Add a channel's rule or change it. Raises InvalidInput for a channel that is not in the file."""
    if channel not in channels().channels:
        raise InvalidInput(f"There is no channel '{channel}'.", field="channel")
    with session() as opened:
        same = (NotificationRule.project == project, NotificationRule.channel == channel)
        row = opened.exec(select(NotificationRule).where(*same)).one_or_none()
        row = row or NotificationRule(project=project, channel=channel)
        row.on_failure, row.on_recovery, row.on_slow = on_failure, on_recovery, on_slow
        opened.add(row)


def remove_rule(rule_id: int) -> None:
    """Stop telling a channel; one that is gone stays gone."""
    with session() as opened:
        if row := opened.get(NotificationRule, rule_id):
            opened.delete(row)


def send_test(project: str, channel: str, *, by: str) -> None:
    """Send a message that says it is a test. Raises as `send` does."""
    send(channel, test_message(project, by=by))


def deliveries_of(project: str, *, most: int = 20) -> list[Delivery]:
    """The newest messages about a project's runs."""
    with session() as opened:
        rows = select(Delivery).join(Run, col(Run.id) == col(Delivery.run_id)).where(Run.project == project)
        return list(opened.exec(rows.order_by(col(Delivery.id).desc()).limit(most)))
