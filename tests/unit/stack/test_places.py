"""Settings of the stack: defaults, and values that cannot be."""

from pathlib import Path

import pytest

from stack.places import ROOT, Places
from stack.problems import Problem


def test_defaults() -> None:
    places = Places.from_settings({})
    assert places.data == ROOT / ".pilothouse"
    assert places.environments == places.data / "environments"
    assert [places.console.number, places.airflow.number, places.dbt_api.number] == [8501, 8080, 8581]


def test_environments_move_with_the_data_folder_unless_they_have_their_own_setting(tmp_path: Path) -> None:
    moved = {"PILOTHOUSE_DATA": str(tmp_path)}
    assert Places.from_settings(moved).environments == tmp_path / "environments"
    shared = Places.from_settings(moved | {"PILOTHOUSE_ENVIRONMENTS": "/opt/pilothouse"})
    assert shared.environments == Path("/opt/pilothouse")


@pytest.mark.parametrize("text", ["eighty", "0", "65536", "-1", "80.5"])
def test_a_port_that_is_none_is_refused_with_its_setting(text: str) -> None:
    with pytest.raises(Problem, match="PILOTHOUSE_AIRFLOW_PORT must be a port number between 1 and 65535"):
        Places.from_settings({"PILOTHOUSE_AIRFLOW_PORT": text})
