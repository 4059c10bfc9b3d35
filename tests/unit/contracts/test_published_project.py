"""What Airflow is told of a project."""

from datetime import UTC, datetime

from contracts.published_project import PublishedProject

HARBOUR = PublishedProject(name="harbour", start_date=datetime(2026, 1, 1, tzinfo=UTC))


def test_the_fingerprint_follows_every_change() -> None:
    assert HARBOUR.fingerprint == HARBOUR.model_copy().fingerprint
    assert HARBOUR.fingerprint != HARBOUR.model_copy(update={"retries": 1}).fingerprint


def test_it_survives_the_journey_through_the_variable() -> None:
    assert PublishedProject.model_validate_json(HARBOUR.model_dump_json()).fingerprint == HARBOUR.fingerprint


def test_an_older_airflow_side_reads_what_a_newer_console_writes() -> None:
    newer = {**HARBOUR.model_dump(mode="json"), "a_field_of_tomorrow": 1}
    assert PublishedProject.model_validate(newer) == HARBOUR
