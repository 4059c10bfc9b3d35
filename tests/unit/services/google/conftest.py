"""Every test here has a store of its own and Google's stand-in, whose project is the one that is configured."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from services import database
from services.settings import settings
from tests.google.fixtures import google  # noqa: F401

if TYPE_CHECKING:
    from tests.google.stand_in import GoogleStandIn


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    monkeypatch.setenv("PILOTHOUSE_USER", "anna")
    monkeypatch.setenv("PILOTHOUSE_GOOGLE_PROJECTS", "pilothouse-test")
    settings.cache_clear()
    database.engine.cache_clear()
    database.migrate()
    yield
    database.engine().dispose()
    settings.cache_clear()
    database.engine.cache_clear()


@pytest.fixture
def plane(google: "GoogleStandIn") -> Iterator[object]:  # noqa: F811
    from services.google.control_plane import ControlPlane

    made = ControlPlane()
    yield made
    made.close()
