"""Views of the history under a name: anybody may open one, only who made it may change it."""

from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from models.saved_view import SavedView
from services.database import session
from services.errors import InvalidInput, NotAllowed, NotFound

LONGEST_NAME = 60


def list_views() -> list[SavedView]:
    """All views, by name."""
    with session() as opened:
        return list(opened.exec(select(SavedView).order_by(func.lower(SavedView.name))))


def get_view(view_id: int) -> SavedView:
    """One view. Raises NotFound."""
    with session() as opened:
        return _found(opened, view_id)


def save_view(name: str, filters: dict[str, Any], *, by: str) -> SavedView:
    """Keep filters under a new name. Raises InvalidInput."""
    if not filters:
        raise InvalidInput("This view leaves nothing out: choose a filter first.", field="filters")
    view = SavedView(name=_checked(name), filters=filters, created_by=by)
    try:
        with session() as opened:
            _refuse_taken(opened, view.name, None)
            opened.add(view)
    except IntegrityError:
        raise _taken(view.name) from None
    return view


def rename_view(view_id: int, name: str, *, by: str) -> SavedView:
    """Give a view another name; its address stays. Raises InvalidInput, NotAllowed, NotFound."""
    with session() as opened:
        view = _own(opened, view_id, by)
        _refuse_taken(opened, _checked(name), view_id)
        view.name = _checked(name)
        return view


def change_view(view_id: int, filters: dict[str, Any], *, by: str) -> SavedView:
    """Give a view other filters; its address stays. Raises NotAllowed, NotFound."""
    with session() as opened:
        view = _own(opened, view_id, by)
        view.filters = filters
        return view


def delete_view(view_id: int, *, by: str) -> None:
    """Forget a view. One that is gone stays gone. Raises NotAllowed."""
    with session() as opened:
        if opened.get(SavedView, view_id):
            opened.delete(_own(opened, view_id, by))


def _found(opened: Session, view_id: int) -> SavedView:
    if view := opened.get(SavedView, view_id):
        return view
    raise NotFound(f"There is no saved view {view_id}.", hint="It may have been deleted by who made it.")


def _own(opened: Session, view_id: int, by: str) -> SavedView:
    view = _found(opened, view_id)
    if view.created_by != by:
        raise NotAllowed(
            f"'{view.name}' is {view.created_by}'s view.", hint="Open it and save it under a name of your own."
        )
    return view


def _checked(name: str) -> str:
    words = " ".join(name.split())
    if not words or len(words) > LONGEST_NAME:
        raise InvalidInput(f"A name has 1 to {LONGEST_NAME} characters.", field="name")
    return words


def _refuse_taken(opened: Session, name: str, but: int | None) -> None:
    same = select(SavedView).where(func.lower(SavedView.name) == name.lower(), col(SavedView.id).is_distinct_from(but))
    if opened.exec(same).first():
        raise _taken(name)


def _taken(name: str) -> InvalidInput:
    return InvalidInput(f"There is a view named '{name}' already.", field="name")
