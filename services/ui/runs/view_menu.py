"""The menu of saved views: open one, save the filters under a name, hand on the link, rename, delete."""

from contextlib import suppress
from typing import Any

import streamlit as st

from models.saved_view import SavedView
from services.errors import NotFound, PilothouseError
from services.runs import saved_views
from services.ui import errors
from services.ui.links import address, show_link
from services.ui.runs.run_filters import active_filters, choose, in_words, is_filtered
from services.ui.shell import current_user
from services.ui.words import count, listed, moment, plain

SAVE, LINK, MANAGE = (
    ":material/bookmark_add: Save these filters…",
    ":material/link: Copy link…",
    ":material/edit: Manage views…",
)


def view_from_address() -> None:
    """Open the saved view that the address names, `?view=3`; the address then holds its filters instead."""
    wanted = st.query_params.pop("view", None)
    if wanted is None:
        return
    with errors.guarded():
        filters = saved_views.get_view(int(wanted) if wanted.isdigit() and len(wanted) < 18 else 0).filters
        choose(filters)
        st.query_params.update(filters)  # before the widgets are drawn, the address is not theirs to write


def view_menu() -> None:
    """Draw the menu, once the filters are drawn; it is named after the view that is open, if one is."""
    views = saved_views.list_views()
    filters = active_filters()
    opened = next((view for view in views if view.filters == filters), None)
    names = {view.id: f":material/bookmark: {plain(view.name)}" for view in views}
    orders = [*([SAVE] if is_filtered() and not opened else []), LINK, *([MANAGE] if views else [])]
    chosen: Any = st.menu_button(
        plain(opened.name) if opened else "Views",
        [*(view.id for view in views), *orders],
        format_func=lambda option: names.get(option, option),
        icon=":material/bookmark:",
        type="tertiary",
        key="view_menu",
        on_click=_open_chosen,
        help="Filters that somebody saved under a name",
    )
    if chosen == SAVE:
        st.dialog("Save this view", icon=":material/bookmark_add:")(_save)()
    elif chosen == LINK:
        show_link("Link to this view", "runs", {"view": str(opened.id)} if opened else filters)
    elif chosen == MANAGE:
        st.dialog("Saved views", icon=":material/bookmark:", width="medium")(_manage)(opened)


def _open_chosen() -> None:
    """Set the filters of the view that was clicked, before the page draws them."""
    chosen = st.session_state["view_menu"]
    if isinstance(chosen, int):
        with suppress(NotFound):  # deleted meanwhile: the menu is drawn without it
            choose(saved_views.get_view(chosen).filters)


def _save() -> None:
    filters = active_filters()
    st.caption(plain(listed(in_words(filters))))
    with st.form("save_view", border=False):
        name = st.text_input("Name", max_chars=saved_views.LONGEST_NAME, placeholder="Failed nightly builds")
        if st.form_submit_button("Save view", type="primary"):
            with errors.guarded():
                saved_views.save_view(name, filters, by=current_user())
                st.rerun()
    st.caption("Everybody sees it in the menu; you can rename, change and delete it.")


def _manage(opened: SavedView | None) -> None:
    views = saved_views.list_views()
    if not views:
        st.caption("No view is saved.")
        return
    start = next((place for place, view in enumerate(views) if opened and view.id == opened.id), 0)
    view = st.selectbox("View", views, index=start, format_func=lambda each: each.name, key="managed_view")
    st.caption(plain(listed(in_words(view.filters))))
    st.caption(f"Saved by {plain(view.created_by)}, {moment(view.created_at)}")
    st.code(address("runs", {"view": str(view.id)}), language=None)
    if view.created_by != current_user():
        st.info(f"Only {plain(view.created_by)} can change it. Save its filters under another name to have your own.")
        return
    _rename(view)
    _change_or_delete(view)


def _rename(view: SavedView) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", value=view.name, max_chars=saved_views.LONGEST_NAME, key=f"view_name_{view.id}")
        if st.button("Rename", disabled=name == view.name, key="rename_view"):
            _do(lambda: saved_views.rename_view(view.id or 0, name, by=current_user()))


def _change_or_delete(view: SavedView) -> None:
    filters = active_filters()
    same = filters == view.filters
    with st.container(horizontal=True):
        hint = "These are its filters." if same else "Choose filters first." if not filters else None
        label = f"Give it the {count(len(filters), 'filter')} of the page" if filters else "Give it the page's filters"
        if st.button(label, disabled=same or not filters, help=hint, key="change_view"):
            _do(lambda: saved_views.change_view(view.id or 0, filters, by=current_user()))
        sure = st.session_state.get("sure_to_delete") == view.id
        if st.button(
            f"Really delete {plain(view.name)}" if sure else "Delete",
            type="primary" if sure else "secondary",
            icon=":material/delete:",
            key="delete_view",
        ):
            if sure:
                _do(lambda: saved_views.delete_view(view.id or 0, by=current_user()))
            st.session_state["sure_to_delete"] = view.id
            st.rerun(scope="fragment")


def _do(order: Any) -> None:
    """Carry out an order and draw the page anew; a refusal is told in the dialog."""
    try:
        order()
    except PilothouseError as error:
        errors.show(error)
    else:
        st.session_state.pop("sure_to_delete", None)
        st.rerun()
