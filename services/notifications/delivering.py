"""The collector's part: decide once for each run that is over who is told, and send until it is taken or given up."""

import logging
import threading
from datetime import timedelta

from sqlmodel import Session, col, select

from models.notification import Delivery, NotificationRule, Occasion
from models.run import Run
from models.run_state import RunState
from models.types import now
from services.database import session
from services.errors import PilothouseError
from services.notifications.messages import message_of
from services.notifications.sending import send
from services.run.since_green import verdict_before
from services.runs import figures
from services.runs.history import usual_seconds

_LOOK_SECONDS = 1.0
_ATTEMPTS = 6
_FIRST_PAUSE = timedelta(seconds=10)
_TOO_OLD = timedelta(days=1)
"""Of a run that ended so long ago, e.g. while the collector was away, nobody is told any more."""

logger = logging.getLogger(__name__)


def keep_delivering(stop: threading.Event) -> None:
    """Decide and send until stopped; an error of ours is logged and waited out."""
    while not stop.wait(_LOOK_SECONDS):
        try:
            decide()
            deliver(stop)
        except Exception:
            logger.exception("Notifications: going on after an error of our own.")
            stop.wait(10 * _LOOK_SECONDS)


def decide() -> None:
    """Plan the messages of all runs that were closed since the last look, each run once."""
    with session() as opened:
        waiting = select(Run).where(col(Run.collected), ~col(Run.announced)).order_by(col(Run.id)).limit(100)
        for run in opened.exec(waiting):
            _plan(opened, run)
            run.announced = True


def _plan(opened: Session, run: Run) -> None:
    if run.finished_at and now() - run.finished_at > _TOO_OLD:
        return
    rules = list(opened.exec(select(NotificationRule).where(NotificationRule.project == run.project)))
    occasion = occasion_of(run) if rules else None
    for rule in rules:
        if occasion in rule.occasions:
            opened.add(Delivery(run_id=run.id or 0, channel=rule.channel, occasion=occasion))


def occasion_of(run: Run) -> Occasion | None:
    """Why anybody would be told of a run that is over, if at all."""
    if run.state is RunState.FAILED:
        return Occasion.FAILURE
    if run.state is not RunState.SUCCEEDED:
        return None
    if verdict_before(run) is RunState.FAILED:
        return Occasion.RECOVERY
    took = (run.finished_at - run.started_at).total_seconds() if run.finished_at and run.started_at else None
    return Occasion.SLOW if figures.is_slow(took, usual_seconds(run)) else None


def deliver(stop: threading.Event) -> None:
    """Send what is due; what a channel does not take is tried again later and later, and given up in the end."""
    with session() as opened:
        due = list(opened.exec(select(Delivery).where(col(Delivery.due_at) <= now()).order_by(col(Delivery.due_at))))
    for row in due:
        if stop.is_set():
            return
        _attempt(row.id or 0)


def _attempt(delivery_id: int) -> None:
    """One attempt. Only a collector that is killed between sending and noting it sends a message twice."""
    with session() as opened:
        row = opened.get_one(Delivery, delivery_id)
        run = opened.get_one(Run, row.run_id)
        row.attempts += 1
        row.due_at = now() + _FIRST_PAUSE * 3 ** (row.attempts - 1) if row.attempts < _ATTEMPTS else None
    problem = _problem(row.channel, run, row.occasion)
    with session() as opened:
        row = opened.get_one(Delivery, delivery_id)
        row.problem = problem
        if problem is None:
            row.sent_at, row.due_at = now(), None


def _problem(channel: str, run: Run, occasion: Occasion) -> str | None:
    try:
        send(channel, message_of(run, occasion))
    except PilothouseError as error:
        logger.warning("Run %s: %s", run.id, error.message)
        return error.message
    return None
