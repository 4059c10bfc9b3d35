"""A data folder of its own, and an invocation whose logs lie there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.run import Invocation
from services.settings import settings


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


@pytest.fixture
def invocation() -> Invocation:
    return Invocation(run_id=7, try_number=1, task_id="some-task")
