"""Schedules, by the rules of the Airflow that will follow them: croniter, its presets, UTC.

Source: airflow/timetables/_cron.py and airflow/utils/dates.py of Airflow 3.3 (CronTriggerTimetable, catchup off).
"""

import re
from datetime import UTC, datetime
from itertools import islice

from cron_descriptor import (  # type: ignore[import-untyped]
    CasingTypeEnum,
    ExpressionDescriptor,
    FormatException,
    MissingFieldException,
)
from croniter import CroniterBadDateError, CroniterError, croniter

from services.errors import InvalidInput

PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
ONCE = "@once"
_HINT = "Five fields: minute, hour, day of month, month, day of week. For example 0 6 * * 1-5, or a preset like @daily."


def check(schedule: str | None) -> str | None:
    """The schedule as it will be published; None when it is empty. Raises InvalidInput(field="schedule")."""
    expression = (schedule or "").strip()
    if not expression or expression == "None":
        return None
    if expression == ONCE:
        return expression
    if expression.startswith("@") and expression not in PRESETS:
        known = ", ".join([*PRESETS, ONCE])
        raise InvalidInput(f"There is no preset '{expression}'.", field="schedule", hint=f"Presets: {known}.")
    try:
        croniter(_cron(expression), datetime.now(UTC)).get_next(datetime)
    except CroniterBadDateError as error:
        message = f"'{expression}' names a date that never comes."
        raise InvalidInput(message, field="schedule", hint=_HINT) from error
    except (CroniterError, ValueError, KeyError, AttributeError) as error:
        reason = re.sub(r"^\[.*\] is not acceptable,? ?", "", str(error)).rstrip(".")
        message = f"'{expression}' is not a cron expression that Airflow takes{': ' + reason if reason else ''}."
        raise InvalidInput(message, field="schedule", hint=_HINT) from error
    return expression


def next_runs(schedule: str | None, *, after: datetime | None = None, number: int = 5) -> list[datetime]:
    """The next moments at which a valid schedule starts a run, in UTC; empty for no schedule and for @once."""
    if schedule is None or schedule == ONCE:
        return []
    moments = croniter(_cron(schedule), after or datetime.now(UTC)).all_next(datetime)
    return list(islice(moments, number))


def in_words(schedule: str | None) -> str:
    """A valid schedule in words, 24-hour clock, UTC: `At 02:00`, `Every 15 minutes`, `By hand only`."""
    if schedule is None:
        return "By hand only"
    if schedule == ONCE:
        return "Once, as soon as Airflow knows the project"
    cron = _cron(schedule)
    fields = cron.split()
    if len(fields) == 5 and fields[2] != "*" and fields[4] != "*":
        on_day_of_month = _described([*fields[:4], "*"])
        on_weekday = _described([*fields[:2], "*", *fields[3:]])
        return f"{on_day_of_month} (or) {on_weekday}"
    return _described(fields)


def _cron(expression: str) -> str:
    return PRESETS.get(expression, expression)


def _described(fields: list[str]) -> str:
    """Airflow's sixth field is the second and comes last, cron_descriptor's comes first."""
    ordered = [fields[5], *fields[:5]] if len(fields) == 6 else fields
    expression = " ".join(ordered)
    try:
        return str(
            ExpressionDescriptor(
                expression, casing_type=CasingTypeEnum.Sentence, use_24hour_time_format=True
            ).get_description()
        )
    except (FormatException, MissingFieldException, ValueError):
        return " ".join(fields)
