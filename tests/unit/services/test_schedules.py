from datetime import UTC, datetime

import pytest

from services import schedules
from services.errors import InvalidInput

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "first", "words"),
    [
        ("0 2 * * *", datetime(2026, 11, 24, 2, tzinfo=UTC), "At 02:00"),
        ("*/15 * * * *", datetime(2026, 11, 23, 12, 15, tzinfo=UTC), "Every 15 minutes"),
        ("  0 2 * * *  ", datetime(2026, 11, 24, 2, tzinfo=UTC), "At 02:00"),
        ("0 12 * * MON-FRI", datetime(2026, 11, 24, 12, tzinfo=UTC), "At 12:00, Monday through Friday"),
        ("0 0 * * 7", datetime(2026, 11, 29, tzinfo=UTC), "At 00:00, only on Sunday"),
        ("0 0 L * *", datetime(2026, 11, 30, tzinfo=UTC), "At 00:00, on the last day of the month"),
        ("0 0 * * sat#2", datetime(2026, 12, 12, tzinfo=UTC), "At 00:00, on the second Saturday of the month"),
        ("0 0 29 2 *", datetime(2028, 2, 29, tzinfo=UTC), "At 00:00, on day 29 of the month, only in February"),
        ("@hourly", datetime(2026, 11, 23, 13, tzinfo=UTC), "Every hour"),
        ("@daily", datetime(2026, 11, 24, tzinfo=UTC), "At 00:00"),
        ("@midnight", datetime(2026, 11, 24, tzinfo=UTC), "At 00:00"),
        ("@weekly", datetime(2026, 11, 29, tzinfo=UTC), "At 00:00, only on Sunday"),
        ("@quarterly", datetime(2027, 1, 1, tzinfo=UTC), "At 00:00, on day 1 of the month, every 3 months"),
        ("@annually", datetime(2027, 1, 1, tzinfo=UTC), "At 00:00, on day 1 of the month, only in January"),
    ],
)
def test_what_airflow_takes_is_taken_and_told_in_words(schedule: str, first: datetime, words: str) -> None:
    checked = schedules.check(schedule)
    runs = schedules.next_runs(checked, after=MONDAY)
    assert runs[0] == first
    assert len(runs) == 5
    assert schedules.in_words(checked) == words


def test_a_sixth_field_is_the_second_as_in_airflow() -> None:
    checked = schedules.check("0 6 * * * 30")
    assert schedules.next_runs(checked, after=MONDAY)[0] == datetime(2026, 11, 24, 6, 0, 30, tzinfo=UTC)
    assert schedules.in_words(checked) == "At 06:00:30"


def test_day_of_month_and_weekday_together_mean_either() -> None:
    assert schedules.in_words("0 0 31 * 1") == "At 00:00, on day 31 of the month (or) At 00:00, only on Monday"
    assert schedules.next_runs("0 0 31 * 1", after=MONDAY)[0] == datetime(2026, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize("empty", [None, "", "   ", "None"])
def test_no_schedule_means_by_hand(empty: str | None) -> None:
    assert schedules.check(empty) is None
    assert schedules.in_words(None) == "By hand only"
    assert schedules.next_runs(None) == []


def test_once_runs_once() -> None:
    assert schedules.check("@once") == "@once"
    assert schedules.next_runs("@once") == []


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("every day", "not a cron expression"),
        ("5", "not a cron expression"),
        ("61 * * * *", "not a cron expression"),
        ("0 2 * * * Europe", "not a cron expression"),
        ("H * * * *", "not a cron expression"),
        ("0 0 30 2 *", "never comes"),
        ("@fortnightly", "no preset"),
        ("@continuous", "no preset"),
        ("@reboot", "no preset"),
    ],
)
def test_what_airflow_would_choke_on_is_refused_with_a_way_on(schedule: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        schedules.check(schedule)
    assert caught.value.field == "schedule"
    assert caught.value.hint
