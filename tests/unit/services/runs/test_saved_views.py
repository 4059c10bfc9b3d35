"""Saved views: names that are free, filters kept as they were, changed by who made them only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.database import engine, migrate
from services.errors import InvalidInput, NotAllowed, NotFound
from services.runs import saved_views
from services.settings import settings

FILTERS = {"state": ["Failed"], "q": "berth"}


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTHOUSE_DATA", str(tmp_path))
    settings.cache_clear()
    engine.cache_clear()
    migrate()
    yield
    engine().dispose()
    settings.cache_clear()
    engine.cache_clear()


def test_a_view_keeps_its_address_through_a_rename_and_a_change() -> None:
    made = saved_views.save_view("  Broken   berths ", FILTERS, by="anna")
    assert made.id
    saved_views.rename_view(made.id, "Berths", by="anna")
    saved_views.change_view(made.id, {"q": "tide"}, by="anna")
    assert [(each.id, each.name, each.filters) for each in saved_views.list_views()] == [
        (made.id, "Berths", {"q": "tide"})
    ]
    saved_views.delete_view(made.id, by="anna")
    saved_views.delete_view(made.id, by="anna")
    with pytest.raises(NotFound):
        saved_views.get_view(made.id)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "BERTHS"])
def test_a_name_is_there_short_and_free(name: str) -> None:
    saved_views.save_view("Berths", FILTERS, by="anna")
    other = saved_views.save_view("Tides", FILTERS, by="anna")
    with pytest.raises(InvalidInput):
        saved_views.save_view(name, FILTERS, by="ben")
    with pytest.raises(InvalidInput):
        saved_views.rename_view(other.id or 0, name, by="anna")
    assert len(saved_views.list_views()) == 2


def test_a_view_of_everything_is_no_view() -> None:
    with pytest.raises(InvalidInput, match="choose a filter"):
        saved_views.save_view("All", {}, by="anna")


def test_only_who_made_a_view_changes_it() -> None:
    view_id = saved_views.save_view("Berths", FILTERS, by="anna").id or 0
    with pytest.raises(NotAllowed, match="anna's view"):
        saved_views.rename_view(view_id, "Mine", by="ben")
    with pytest.raises(NotAllowed):
        saved_views.change_view(view_id, {"q": "x"}, by="ben")
    with pytest.raises(NotAllowed):
        saved_views.delete_view(view_id, by="ben")
    assert saved_views.get_view(view_id).filters == FILTERS
