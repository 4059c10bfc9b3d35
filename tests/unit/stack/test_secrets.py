"""Secrets are made once and are nobody else's business."""

import json
import stat
from pathlib import Path

from stack import secrets
from stack.places import Places


def test_made_once_private_and_long_enough(tmp_path: Path) -> None:
    places = Places.from_settings({"PILOTHOUSE_DATA": str(tmp_path)})
    first = secrets.generate(places)
    assert secrets.generate(places) == first
    assert len(first.airflow_jwt_secret) > 64
    assert len({*vars(first).values()}) == 5
    assert stat.S_IMODE(places.secrets.stat().st_mode) == 0o700
    files = [*places.secrets.iterdir(), secrets.airflow_users_file(places)]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_airflow_learns_a_password_that_a_person_has_changed(tmp_path: Path) -> None:
    places = Places.from_settings({"PILOTHOUSE_DATA": str(tmp_path)})
    secrets.generate(places)
    secrets.airflow_password_file(places).write_text("my own\n")
    assert secrets.generate(places).airflow_password == "my own"
    assert json.loads(secrets.airflow_users_file(places).read_text()) == {"pilothouse": "my own"}
