"""What a message says of a run, and the forms in which Slack, Teams, programs and mail want it."""

from typing import Any

from pydantic import BaseModel

from models.notification import Occasion
from models.run import Run
from services.notifications.channels import ChannelKind
from services.run.run_nodes import failed_nodes
from services.run.since_green import since_green
from services.runs.history import invocations_of, usual_seconds
from services.settings import settings

_LONGEST = 1_500
_MOST_NODES = 5


class Message(BaseModel):
    """One message. A program gets exactly these fields as JSON."""

    occasion: Occasion | None
    """None for a test."""
    title: str
    text: str
    link: str
    project: str
    run_id: int | None = None
    state: str | None = None
    command: str | None = None
    launched_by: str | None = None


def message_of(run: Run, occasion: Occasion) -> Message:
    """What to say of a run."""
    title, text = {Occasion.FAILURE: _failure, Occasion.RECOVERY: _recovery, Occasion.SLOW: _slowness}[occasion](run)
    return Message(
        occasion=occasion,
        title=title,
        text=text[:_LONGEST],
        link=f"{settings().console_url.rstrip('/')}/run?run_id={run.id}",
        project=run.project,
        run_id=run.id,
        state=run.state.value,
        command=f"dbt {run.command}"[:_LONGEST],
        launched_by=run.launched_by,
    )


def test_message(project: str, *, by: str) -> Message:
    """What the test button sends."""
    link = f"{settings().console_url.rstrip('/')}/project?name={project}"
    text = f"{by} tried this channel. Nothing has happened."
    return Message(occasion=None, title=f"Test message for {project}", text=text, link=link, project=project)


def _failure(run: Run) -> tuple[str, str]:
    past = since_green(run)
    again = f" It has failed {past.failed_in_a_row} times in a row." if past.failed_in_a_row > 1 else ""
    green = f" Last green: run {past.last_green.id}." if past.last_green else ""
    return f"{run.project} failed", f"{run.message or 'No reason was given.'}{again}{green}{_failed_nodes(run)}"


def _failed_nodes(run: Run) -> str:
    """The first failed nodes, one a line, where there are several: the reason of a single one is the run's."""
    tries = invocations_of(run.id or 0)
    found = failed_nodes(tries[-1].id or 0, most=_MOST_NODES) if tries else None
    if found is None or found.total < 2:
        return ""
    more = [f"… and {found.total - _MOST_NODES} more"] if found.total > _MOST_NODES else []
    kinds = [f"• {node.resource_type.replace('_', ' ')} {node.name}" for node in found.nodes]
    return "\n" + "\n".join([*kinds, *more])


def _recovery(run: Run) -> tuple[str, str]:
    return f"{run.project} is green again", f"Run {run.id} succeeded: dbt {run.command}."


def _slowness(run: Run) -> tuple[str, str]:
    usual = usual_seconds(run)
    took = (run.finished_at - run.started_at).total_seconds() if run.finished_at and run.started_at else 0
    against = f"; runs like this usually take {usual:.0f} s" if usual else ""
    return f"{run.project} was slow", f"Run {run.id} took {took:.0f} s{against}."


def payload(kind: ChannelKind, message: Message) -> dict[str, Any]:
    """The JSON that a webhook of this kind wants."""
    if kind is ChannelKind.SLACK:
        return _slack(message)
    return _teams(message) if kind is ChannelKind.TEAMS else message.model_dump(mode="json")


def _slack(message: Message) -> dict[str, Any]:
    """Source: docs.slack.dev, "Sending messages using incoming webhooks" and "mrkdwn"."""
    text = f"*<{message.link}|{_slack_text(message.title)}>*\n{_slack_text(message.text)}"
    block = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    return {"text": f"{message.title}: {message.text}", "blocks": [block]}


def _slack_text(text: str) -> str:
    """The three characters that Slack takes for control sequences."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams(message: Message) -> dict[str, Any]:
    """An adaptive card, as the webhook of a Teams workflow takes it (learn.microsoft.com, "Incoming webhook")."""
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": message.title, "weight": "bolder", "size": "medium", "wrap": True},
            {"type": "TextBlock", "text": message.text, "wrap": True},
        ],
        "actions": [{"type": "Action.OpenUrl", "title": "Open in Pilothouse", "url": message.link}],
    }
    content_type = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": content_type, "content": card}]}
