"""The history when it has nothing to show: never a run, none that fits, or nobody to tell of runs."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from services import health, projects
from services.runs import history
from services.ui.runs.run_filters import NOTHING_LEFT_OUT, active_filters, choose, clear_filters, in_words, meaning
from services.ui.words import ago, count, listed, plain


def nothing_fits() -> None:
    """No run fits the filters: say what each of them costs, and offer to drop it."""
    filters = active_filters()
    with st.container(border=True):
        st.markdown("## :material/filter_alt: No run matches these filters")
        st.caption(plain(listed(in_words(filters))))
        with st.container(horizontal=True):
            for key in filters if len(filters) > 1 else ():
                _drop(key, filters)
            st.button("Show all runs", on_click=clear_filters, type="primary")


def _drop(key: str, filters: Mapping[str, Any]) -> None:
    """A button that drops one filter, and says what there is without it."""
    left = {other: value for other, value in filters.items() if other != key}
    found = history.count_runs(meaning(NOTHING_LEFT_OUT | left))
    (words,) = in_words({key: filters[key]})
    st.button(
        f"Without “{plain(words)}”: {count(found, 'run')}",
        key=f"drop_{key}",
        disabled=not found,
        on_click=choose,
        args=(left,),
    )


def never_ran() -> None:
    """There is no run yet: say how to come by the first one."""
    known = projects.list_projects()
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown("## :material/history: Nothing has run yet", width="content")
        if known:
            st.markdown("Launch a project, or wait for its schedule: every run is listed here.", width="content")
            st.page_link("pages/launch.py", label="Launch a run", icon=":material/rocket_launch:")
        else:
            st.markdown("Every run of every project will be listed here. A project comes first.", width="content")
            st.page_link("pages/new_project.py", label="Create the first project", icon=":material/add:")


def nobody_tells() -> None:
    """There is no run, and the collector, which would tell of them, does not run."""
    collector = health.of_system(health.COLLECTOR)
    heard = f"last heard of {ago(collector.last_good_at)}" if collector.last_good_at else "not heard of yet"
    with st.container(border=True):
        st.markdown("## :material/sync_problem: Runs can't be shown: the collector is not running")
        st.markdown(
            f"The collector ({heard}) brings runs, logs and results from Airflow and the dbt API into this console. "
            "Runs may exist that are not listed here; nothing of them is lost, they appear once it runs."
        )
        st.code("python3 -m stack up        # starts everything, or\npython -m services.collector", language=None)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Look again", icon=":material/refresh:", type="primary")
            st.page_link("pages/system.py", label="All systems", icon=":material/settings_ethernet:")
